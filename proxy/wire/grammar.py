"""The grammar of RFC 9110, 9112 and 3986 that we accept, a rule beside each expression.

All expressions run in linear time whatever comes: repetitions that could share characters with
what follows are possessive (`*+`), so that a mismatch is not tried again at every length.
"""

from __future__ import annotations

import re
from typing import Final

# token = 1*tchar                                                        RFC 9110, 5.6.2
TCHAR: Final = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]"

# request-line = method SP request-target SP HTTP-version                RFC 9112, 3
# The target's own grammar is applied afterwards, for a better message.
REQUEST_LINE: Final = re.compile(rb"(" + TCHAR + rb"{1,32}) ([!-~]+) HTTP/([0-9])\.([0-9])")

# status-line = HTTP-version SP status-code SP [ reason-phrase ]         RFC 9112, 4
# The SP before an absent reason is often left out, and harmless.
STATUS_LINE: Final = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9]{2})(?: ([\t -~\x80-\xff]*))?")

# field-line = field-name ":" OWS field-value OWS                        RFC 9112, 5
# field-vchar = VCHAR / obs-text; no CR, LF, NUL, and no obs-fold
FIELD_LINE: Final = re.compile(
    rb"(" + TCHAR + rb"++):[\t ]*+((?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?)[\t ]*+"
)

# A value between its blanks, which `strip` has taken.
FIELD_VALUE: Final = re.compile(rb"[\t -~\x80-\xff]*")

# Content-Length = 1*DIGIT                                               RFC 9110, 8.6
# Without leading zeros, and short enough for 63 bits.
CONTENT_LENGTH: Final = re.compile(rb"0|[1-9][0-9]{0,17}")

# chunk-size = 1*HEXDIG, chunk-ext                                       RFC 9112, 7.1
# Without blanks before the extension: parsers disagree on whether they belong to the number.
CHUNK_LINE: Final = re.compile(rb"([0-9A-Fa-f]{1,16})(;[\t -~\x80-\xff]{0,256})?")

# token
TOKEN: Final = re.compile(TCHAR + rb"+")

# Host = uri-host [ ":" port ]                                           RFC 9110, 7.2
# Without percent-encoding and commas, which no host that is looked up has.
HOST: Final = re.compile(
    rb"(?:[A-Za-z0-9\-._~!$&'()*+;=]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?"
)

# absolute-form = "http://" authority [ path ] [ "?" query ]             RFC 9112, 3.2.2
ABSOLUTE_FORM: Final = re.compile(rb"[Hh][Tt][Tt][Pp][Ss]?://([^/?#@\\]+)(/[^?]*)?(\?.*)?")

# A request line that needs no second look: a known method, and a path of plain characters, which is
# normal unless it has `//` or `/.` in it.
PLAIN_REQUEST_LINE: Final = re.compile(
    rb"(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)"
    rb" (/[A-Za-z0-9\-._~!$&'()*+,=:@/]*+)(\?[!$-;=?-\[\]-~]*+)? HTTP/1\.([01])"
)

# path = *( "/" *pchar )                                                 RFC 3986, 3.3
PATH: Final = re.compile(rb"/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*")

# A path that is already normal: no percent, no empty or dot-led segment, no parameters.
NORMAL_PATH: Final = re.compile(
    rb"/(?:[A-Za-z0-9\-_~!$&'()*+,=:@][A-Za-z0-9\-._~!$&'()*+,=:@]*/)*"
    rb"(?:[A-Za-z0-9\-_~!$&'()*+,=:@][A-Za-z0-9\-._~!$&'()*+,=:@]*)?"
)

# query: RFC 3986 plus what browsers send unescaped: [ ] { } | ^ `       WHATWG URL, query state
QUERY: Final = re.compile(rb"\?[!$-;=?-\[\]-~]*")

# Overlong UTF-8 and the percent-encodings that servers disagree about.
OVERLONG: Final = re.compile(rb"%c[01]|%e0%[89]|%f[08]%8|%fc%8", re.IGNORECASE)
HIDDEN: Final = re.compile(rb"%(?:00|2f|5c)", re.IGNORECASE)

# A line that ends without CR, or a CR that ends no line.
BROKEN_LINE: Final = re.compile(rb"(?<!\r)\n|\r[^\n]")
