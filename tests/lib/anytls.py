"""anytls - TLS that takes any certificate, as those of tests are self-signed."""
import ssl


def context():
    c = ssl.create_default_context()
    c.check_hostname = False
    c.verify_mode = ssl.CERT_NONE
    return c
