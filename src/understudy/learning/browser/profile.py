"""A fresh profile: what the browser would otherwise ask, offer or remember.

Rules

* Nothing is offered to be saved: no passwords, no addresses, no cards. A bubble would lie over the page and
  be part of the recording.
* Nothing is fetched from elsewhere: no updates, no translation, no search suggestions, no safe-browsing
  lists.
* The look is fixed: English, scale 1, no smooth scrolling, so that a page has the same boxes on every machine
  with the same fonts.
* ``--no-sandbox`` is there for the root user alone, since Chromium refuses to start without it;
  ``--test-type`` then keeps its warning bar from moving the page.
"""

from pathlib import Path
from typing import Final

import msgspec

FEATURES_OFF: Final = (
    "AutofillServerCommunication",
    "CertificateTransparencyComponentUpdater",
    "DialMediaRouteProvider",
    "InterestFeedContentSuggestions",
    "MediaRouter",
    "OptimizationHints",
    "PasswordManagerOnboarding",
    "Translate",
)

FLAGS: Final = (
    "--remote-debugging-pipe",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-service-autorun",
    "--disable-background-networking",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-breakpad",
    "--disable-client-side-phishing-detection",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-field-trial-config",
    "--disable-gpu",
    "--disable-infobars",
    "--disable-notifications",
    "--disable-renderer-backgrounding",
    "--disable-save-password-bubble",
    "--disable-search-engine-choice-screen",
    "--disable-smooth-scrolling",
    "--disable-sync",
    f"--disable-features={','.join(FEATURES_OFF)}",
    "--force-color-profile=srgb",
    "--hide-crash-restore-bubble",
    "--lang=en-US",
    "--metrics-recording-only",
    "--mute-audio",
    "--password-store=basic",
    "--use-mock-keychain",
)

PREFERENCES: Final = {
    "autofill": {"credit_card_enabled": False, "enabled": False, "profile_enabled": False},
    "browser": {"check_default_browser": False, "has_seen_welcome_page": True},
    "credentials_enable_autosignin": False,
    "credentials_enable_service": False,
    "download": {"prompt_for_download": False},
    "intl": {"accept_languages": "en-US,en"},
    "profile": {
        "default_content_setting_values": {"geolocation": 2, "media_stream": 2, "notifications": 2},
        "exit_type": "Normal",
        "password_manager_enabled": False,
        "password_manager_leak_detection": False,
    },
    "search": {"suggest_enabled": False},
    "signin": {"allowed": False},
    "translate": {"enabled": False},
}


def write_preferences(profile: Path) -> None:
    """Write the preferences of a new profile into its empty folder."""
    folder = profile / "Default"
    folder.mkdir(parents=True)
    (folder / "Preferences").write_bytes(msgspec.json.encode(PREFERENCES))
