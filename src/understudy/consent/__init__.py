"""What people agreed to: pure values, without input, output or cryptography."""
