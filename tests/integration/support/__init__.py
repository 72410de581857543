"""Parts of the end-to-end tests: real processes, raw sockets, scripted peers. Standard library and python3-cryptography only."""
