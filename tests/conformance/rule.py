"""rule.py - what a rule is, and what several of them do."""
RULES = {}


def rule(f):
    RULES[f.__name__] = f
    return f


def crowd(t, s, n):
    conn = t.udp()
    for i in range(n):
        conn.peers(s(), port=2000 + i, key=i, want=0,
                   peer=b"crowd-%05d" % i)
    conn.close()
