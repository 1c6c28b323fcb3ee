"""Record what Django makes of generated DJANGO_COLORS specifications.

    python3 django_colors.py | gzip -9n > django_colors.json.gz

One JSON object: Django's version and cases, each [specification, {role: text}] with the
roles that change the text "x". A specification that Django fails on is left out.
"""

import json
import random

import django
from django.core.management.color import make_style
from django.utils import termcolors

rng = random.Random(20)
roles = list(termcolors.PALETTES["nocolor"])
colors = list(termcolors.color_names)
options = list(termcolors.opt_dict)


def words():
    color = rng.choice(colors + ["", "orange", " red", "RED", "bold"])
    if rng.random() < 0.4:
        color += "/" + rng.choice(colors + ["", "pink"])
        if rng.random() < 0.1:
            color += "/" + rng.choice(colors)
    chosen = [rng.choice(options + ["", "noreset", "italic", "red"]) for _ in range(rng.choice([0, 0, 1, 1, 2, 3]))]
    return ",".join([color] + chosen)


def part():
    kind = rng.random()
    if kind < 0.2:
        return rng.choice(["light", "dark", "nocolor", "Light", "DARK"])
    if kind < 0.28:
        return rng.choice(["", "blue", " dark", "error", "=", "=red", "nope=red", "error_output=blue", "error =red"])
    role = rng.choice(roles)
    return "%s=%s" % (role.lower() if rng.random() < 0.8 else role, words())


specs = ["", "light", "dark", "nocolor", ";", "light;nocolor", "nocolor;dark", "error=yellow/blue,blink;notice=magenta"]
specs += ["%s=%s" % (role.lower(), words()) for role in roles for _ in range(4)]
specs += [";".join(part() for _ in range(rng.randint(1, 4))) for _ in range(600)]

cases = []
for spec in dict.fromkeys(specs):
    style = make_style(spec)
    shown = {role: getattr(style, role)("x") for role in roles + ["ERROR_OUTPUT"]}
    cases.append([spec, {role: text for role, text in shown.items() if text != "x"}])
print(json.dumps({"django": django.get_version(), "cases": cases}, separators=(",", ":")))
