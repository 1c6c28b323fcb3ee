"""Runs parsers described in JSON, one a line, through argparse and prints what it did.

Used by oracle_test.go; the description is that of its type caseSpec.
"""
import argparse
import json
import os
import sys


def encode(v):
    if v is None or isinstance(v, (bool, str)):
        return v
    if isinstance(v, int):
        return v if abs(v) < 2**62 else {"int": str(v)}
    if isinstance(v, float):
        return {"float": repr(v)}
    if isinstance(v, list):
        return [encode(x) for x in v]
    raise ValueError("cannot encode %r" % (v,))


def intern(v):
    """Equal strings of declarations are one object, as literals of a script are."""
    if isinstance(v, str):
        return sys.intern(v)
    if isinstance(v, list):
        return [intern(x) for x in v]
    if isinstance(v, dict) and "none" in v:
        return None
    if isinstance(v, dict) and "suppress" in v:
        return argparse.SUPPRESS
    if isinstance(v, dict) and "float" in v:
        return float(v["float"])
    return v


def even(word):
    n = int(word)
    if n % 2:
        raise argparse.ArgumentTypeError("%s is odd" % word)
    return n


TYPES = {"int": int, "float": float, "str": str, "even": even}


class Done(Exception):
    def __init__(self, **result):
        self.result = result


warnings = []


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise Done(error=message, prog=self.prog, usage=self.format_usage())

    def print_help(self, file=None):
        raise Done(help=self.format_help())

    def _warning(self, message):
        warnings.append(message)

    def _print_message(self, message, file=None):
        raise Done(version=message[:-1] if message.endswith("\n") else message)


def keywords(item):
    kw = {}
    for key in ("dest", "action", "nargs", "required", "help", "version", "deprecated"):
        if key in item:
            kw[key] = item[key]
    for key in ("const", "default"):
        if key in item:
            kw[key] = intern(item[key])
    if "choices" in item:
        kw["choices"] = [intern(c) for c in item["choices"]]
    if "type" in item:
        kw["type"] = TYPES[item["type"]]
    if "metavar" in item:
        kw["metavar"] = item["metavar"][0] if len(item["metavar"]) == 1 else tuple(item["metavar"])
    if item.get("suppressed"):
        kw["help"] = argparse.SUPPRESS
    if kw.get("action") == "BooleanOptionalAction":
        kw["action"] = argparse.BooleanOptionalAction
    if "nargs" in kw and kw["nargs"].isdigit():
        kw["nargs"] = int(kw["nargs"])
    return kw


def build(spec, parser):
    errors = []
    groups, exclusive = [], []
    for item in spec["items"]:
        text = ""
        try:
            op = item["op"]
            if op == "group":
                groups.append(parser.add_argument_group(item.get("title") or None, item.get("description") or None))
            elif op == "exclusive":
                owner = groups[item["group"]] if "group" in item else parser
                exclusive.append(owner.add_mutually_exclusive_group(required=item.get("required", False)))
            elif op == "defaults":
                parser.set_defaults(**{k: intern(v) for k, v in item["values"].items()})
            elif op == "subparsers":
                kw = {k: item[k] for k in ("title", "description", "dest", "required", "help") if k in item}
                if "metavar" in item:
                    kw["metavar"] = item["metavar"][0]
                sub = parser.add_subparsers(**kw)
                for command in item["commands"]:
                    kw = {k: command[k] for k in ("help", "aliases", "description", "epilog", "deprecated") if k in command}
                    errors.extend(build(command, sub.add_parser(command["name"], **kw)))
            else:
                owner = parser
                if "exclusive" in item:
                    owner = exclusive[item["exclusive"]]
                elif "group" in item:
                    owner = groups[item["group"]]
                owner.add_argument(*item["names"], **keywords(item))
        except TypeError:
            text = "TypeError"
        except Exception as e:
            text = str(e)
            if text.startswith("empty group"):
                raise
        errors.append(text)
    return errors


def attempt(fn, words):
    del warnings[:]
    try:
        ns = fn(words)
        result = {"ok": {k: encode(v) for k, v in vars(ns).items()}}
    except Done as d:
        result = d.result
    except Exception as e:
        result = {"crash": str(e) if "intermixed" in str(e) else type(e).__name__}
    if warnings:
        result["warnings"] = list(warnings)
    return result


def run(case):
    os.environ["COLUMNS"] = str(case["columns"])
    kw = {k: case[k] for k in ("usage", "description", "epilog") if k in case}
    parser = Parser(prog=case["prog"], add_help=not case.get("no_help"), **kw)
    try:
        out = {"errors": build(case, parser)}
    except ValueError as e:
        return {"broken": type(e).__name__}
    for what in ("format_usage", "format_help"):
        try:
            out[what] = getattr(parser, what)()
        except Exception as e:
            out["broken"] = type(e).__name__
            return out
    out["runs"] = []
    for words in case["words"]:
        result = attempt(parser.parse_args, words)
        if result.get("error", "").startswith("unrecognized arguments"):
            mixed = attempt(parser.parse_intermixed_args, words)
            if "ok" in mixed:
                result["mixed"] = mixed
            elif "crash" in mixed and "parse_intermixed_args" not in mixed["crash"]:
                result = mixed
        out["runs"].append(result)
    return out


for line in sys.stdin:
    print(json.dumps(run(json.loads(line))), flush=True)
