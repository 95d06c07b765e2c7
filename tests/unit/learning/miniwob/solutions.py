"""One script for each task that does what its instruction says, by events of the page's own making.

Only to see that rewards tell success from failure, and to bring pages into states; demonstrations are made by
real hands. ``said`` is the instruction, ``quoted`` what it puts in quotation marks.
"""

from typing import Final

PRELUDE: Final = """
const said = core.getUtterance();
const quoted = [...said.matchAll(/"([^"]*)"/g)].map(match => match[1]);
const all = selector => [...document.querySelectorAll(selector)];
const named = (selector, name) => all(selector).find(one => one.textContent.trim() === name);
const fill = (selector, text) => {
  const field = document.querySelector(selector);
  field.focus();
  field.value = text;
  for (const kind of ['input', 'change', 'keyup']) field.dispatchEvent(new Event(kind, {bubbles: true}));
};
const press = selector => document.querySelector(selector).click();
const submit = () => press('#subbtn');
"""

MAIL: Final = """
  const sender = said.match(/email by (\\w+)/)[1];
  const mail = all('.email-sender').find(one => one.textContent === sender).closest('.email-thread');
  if (said.includes('trash')) mail.querySelector('.trash').click();
  else if (said.includes('star')) mail.querySelector('.star').click();
  else if (said.includes('reply')) {
    mail.click(); press('.email-reply'); fill('#reply-text', quoted[0]); press('#send-reply');
  } else {
    mail.click(); press('.email-forward');
    fill('.forward-sender', said.match(/to (\\w+)\\.$/)[1]); press('#send-forward');
  }"""

SOLUTIONS: Final = {
    "click-button": "named('button', quoted[0]).click()",
    "click-link": "named('.alink', quoted[0]).click()",
    "click-dialog": "press('.ui-dialog button')",
    "click-collapsible": "press('h3'); submit()",
    "focus-text": "document.querySelector('#tt').focus()",
    "click-checkboxes": """
        const wanted = said.match(/^Select (.*) and click Submit/)[1].split(', ');
        const labels = all('label').filter(one => wanted.includes(one.textContent));
        labels.forEach(one => one.querySelector('input').click());
        submit()""",
    "click-option": """
        named('label', said.match(/^Select (.*) and click Submit/)[1]).querySelector('input').click();
        submit()""",
    "enter-text": "fill('#tt', quoted[0]); submit()",
    "enter-password": "fill('#password', quoted[0]); fill('#verify', quoted[0]); submit()",
    "login-user": "fill('#username', quoted[0]); fill('#password', quoted[1]); submit()",
    "choose-list": """
        const list = document.querySelector('select');
        list.value = named('option', said.match(/^Select (.*) from the list/)[1]).value;
        press('button')""",
    "use-autocomplete": """
        const fits = one => one.startsWith(quoted[0]) && one.endsWith(quoted[1] || '');
        fill('#tags', ui_utils.COUNTRIES.find(fits)); submit()""",
    "click-menu": """
        const path = said.replace(/^Select /, '').split('>');
        const item = all('#menu li').find(one => one.firstElementChild.textContent.trim() === path.at(-1));
        $(item.firstElementChild).trigger('mouseover').trigger('click');
        $('#menu').menu('focus', null, $(item)).menu('select')""",
    "navigate-tree": """
        all('#tree span').find(one => one.textContent === quoted[0]).closest('li').click()""",
    "click-tab": """
        all('.ui-tabs-anchor').find(one => one.textContent === said.match(/Tab #\\d/)[0]).click()""",
    "click-tab-2": "named('.alink', quoted[0]).click()",
    **dict.fromkeys(("email-inbox", "email-inbox-delete", "email-inbox-reply"), MAIL),
    "enter-date": """
        const [month, day, year] = said.match(/(\\d+)\\/(\\d+)\\/(\\d+)/).slice(1);
        fill('#tt', `${year}-${month}-${day}`); submit()""",
    "choose-date-easy": "fill('#datepicker', said.match(/\\d+\\/\\d+\\/\\d+/)[0]); submit()",
    "enter-time": """
        const [hours, minutes, half] = said.match(/(\\d+):(\\d+) ([AP]M)/).slice(1);
        const late = Number(hours) % 12 + (half === 'PM' ? 12 : 0);
        fill('#tt', String(late).padStart(2, '0') + ':' + minutes); submit()""",
    "social-media": """
        const user = said.match(/user (@\\w+)/)[1];
        const action = Object.keys(ACTIONS).find(one => ACTIONS[one] === quoted[0]);
        const post = all('.media').find(one => one.querySelector('.username').textContent === user);
        post.querySelector('.' + action).click()""",
    "search-engine": """
        fill('#search-text', quoted[0]); press('#search');
        const place = Number(said.match(/the (\\d+)/)[1]) - 1;
        for (let page = 0; page < Math.floor(place / 3); page++) named('.page-link', '>').click();
        all('#page-content a')[place % 3].click()""",
}

MIDDLES: Final = {
    "click-collapsible": "press('h3')",
    "click-checkboxes": "all('input').forEach(one => one.click())",
    "click-option": "all('input')[0].click()",
    "enter-text": "fill('#tt', 'Some text')",
    "enter-password": "fill('#password', 'abc')",
    "login-user": "fill('#username', 'bob'); fill('#password', 'hunter2')",
    "choose-list": "document.querySelector('select').focus()",
    "use-autocomplete": "$('#tags').autocomplete('search', 'a')",
    "click-menu": """
        const over = new MouseEvent('mouseover', {bubbles: true});
        document.querySelector('#menu > li > div').dispatchEvent(over);
        $('#menu').menu('expand')""",
    "navigate-tree": "all('#tree .hitarea').forEach(one => one.click())",
    "click-tab": "all('.ui-tabs-anchor')[1].click()",
    "click-tab-2": "all('.ui-tabs-anchor')[2].click()",
    "email-inbox": "press('#open-search'); fill('#search-input', 'a')",
    "email-inbox-delete": "press('#main .star')",
    "email-inbox-reply": """
        all('.email-thread')[0].click(); press('.email-reply'); fill('#reply-text', 'a b')""",
    "social-media": "all('.more')[0].click()",
    "choose-date-easy": "$('#datepicker').datepicker('show')",
    "enter-date": "fill('#tt', '2014-03-09')",
    "enter-time": "fill('#tt', '15:04')",
    "search-engine": "fill('#search-text', 'x'); press('#search')",
}
"""Half of the way, where there is one: menus are open, fields are filled, nothing is decided."""
