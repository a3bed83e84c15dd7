"""The control plane's shell: read `controller` first, and in it `tick`."""
