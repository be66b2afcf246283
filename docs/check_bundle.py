"""Checks a bundle of Dispatcher (bundle.md), sharing no code with it: `python check_bundle.py audit-2026.zip`."""

import hashlib
import json
import sys
import zipfile
from collections import defaultdict
from datetime import date, datetime
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def is_signed(told, content):
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(told["public"]))
        return key.verify(bytes.fromhex(told["signature"]), content) is None
    except Exception:
        return False


def chains(entries, stubs, groups, heads):
    digests, ends = defaultdict(dict), {chain: (0, "0" * 64) for chain, _, _ in heads}
    for number, group, digest, _ in stubs:
        digests[group][number] = digest
    for number, group, *rest, digest in entries:
        if sha256(canonical([number, group, *rest])) != digest or digests[group].get(number, digest) != digest:
            yield f"entry {number} was altered"
        digests[group][number] = digest
    for number, chain, position, at, count, previous, told in sorted(groups, key=lambda group: group[1:3]):
        own = digests.pop(number, {})
        whole = sha256("".join(digest for _, digest in sorted(own.items())).encode())
        if (position, previous) != (ends[chain][0] + 1, ends[chain][1]):
            yield f"group {number} does not follow from the one before it"
        if len(own) != count or sha256(canonical([number, chain, position, at, count, previous, whole])) != told:
            yield f"group {number} was altered, or entries of it are missing"
        ends[chain] = (position, told)
    if digests or sorted([chain, *end] for chain, end in ends.items()) != sorted(heads):
        yield "the ledger was cut off, or entries stand in no group"


def seals(found, keys, groups):
    hashes, before = {(chain, position): told for _, chain, position, _, _, _, told in groups}, "0" * 64
    for seal in found:
        content = {key: value for key, value in seal.items() if key != "signature"}
        if seal["public"] not in keys.values() or not is_signed(seal, canonical(content)):
            yield f"seal {seal['number']} is forged"
        if seal["previous"] != before:
            yield f"seal {seal['number']} does not follow from the one before it"
        if any(position and hashes.get((chain, position)) != end for chain, position, end in seal["heads"]):
            yield f"seal {seal['number']} sealed another history (or what a restore took back)"
        before = sha256(canonical(seal))


def destroyed(entries, stubs, groups, found, zone):
    def year_of(at):
        return datetime.fromisoformat(at).astimezone(zone).year

    def covers(seal, group):
        at, position, _ = places.get(group, (None, 0, ""))
        return any(at == chain and position <= end for chain, end, _ in seal["heads"])

    standing, places = {entry[0] for entry in entries}, {group[0]: group[1:4] for group in groups}
    told = [(*entry[:4], json.loads(entry[8])) for entry in sorted(entries) if entry[2] in ("closed", "destroyed")]
    for year in sorted({stub[3] for stub in stubs}):
        own = sorted(stub for stub in stubs if stub[3] == year)
        whole, closed, is_told = sha256("".join(f"{stub[0]} {stub[2]}\n" for stub in own).encode()), [], False
        gone = {stub[1] for stub in own if stub[0] not in standing and stub[1] in places}
        for _, group, kind, at, body in told:
            if (kind, body["year"]) == ("closed", year):
                closed.append((body["seal"], body["bundle"]))
            elif kind == "destroyed" and (year, len(own), whole) == (body["year"], body["entries"], body["digest"]):
                under = [each for each in found if (each["number"], each["about"]) == (body["seal"], year)]
                is_covered = under and all(covers(under[0], each) and year_of(places[each][2]) <= year for each in gone)
                is_sealed = any(covers(each, group) for each in found)
                is_old = year_of(at) - year > body["kept"] > 0 and (body["seal"], body["bundle"]) in closed
                is_told = is_told or (is_old and is_covered and is_sealed)
        if gone and not is_told:
            yield f"entries of {year} are gone, and no entry and seal account for it"


def frozen(entries, members):
    contents = {}
    for entry in sorted(entries):
        if entry[2] == "campaign":
            body = json.loads(entry[8])
            is_over = body["event"] in ("draft", "reserved", "revised", "cancelled", "lapsed")
            contents[entry[6]] = None if is_over else body.get("content", contents.get(entry[6]))
    for campaign, content in contents.items():
        place = f"campaigns/{campaign}/"
        files = {name[len(place) :]: each for name, each in members.items() if name.startswith(place)}
        lines = [f"{path}\0{sha256(files[path])}\n" for path in sorted(files) if path != "policy.json"]
        if content and sha256("".join(lines).encode()) != content:
            yield f"the files of campaign {campaign} are not those it was scheduled with"


def messages(entries):
    said, got = defaultdict(dict), defaultdict(dict)
    for number, _, kind, at, _, client, campaign, channel, text, _ in sorted(entries):
        body = json.loads(text)
        if kind == "answer" and body["reply"] != "not_asked":
            said[client][number] = (channel, body["reply"], body["not_before"] or "", body["not_after"] or at)
        elif kind == "send":
            by, reply, since, _ = said[client].get(body["answer"], (None, None, "", ""))
            noes = [no for no in said[client].values() if no[0] in (None, channel) and no[1] != "granted"]
            if (by, reply) != (channel, "granted") or any(no[3] >= since for no in noes):
                yield f"message of entry {number} to client {client} relies on no yes that stood"
            if campaign in got[client]:
                yield f"client {client} got campaign {campaign} twice (entry {number})"
            got[client][campaign] = date.fromisoformat(body["day"])
        elif kind == "outcome" and body["outcome"] in ("refused", "deferred"):
            got[client].pop(campaign, None)
    for client, days in got.items():
        if any(sum(0 <= (day - first).days < 365 for day in days.values()) > 12 for first in days.values()):
            yield f"client {client} got more than twelve messages in 365 days"


def main(path):
    with zipfile.ZipFile(path) as packed:
        names = packed.namelist()
        members = {name: packed.read(name) for name in names}
    manifest, signature = members.pop("manifest.json"), json.loads(members.pop("manifest.sig"))
    files, keys = json.loads(manifest)["files"], json.loads(members["keys.json"])
    hashes = {name: sha256(content) for name, content in members.items()}
    lines = {name: [json.loads(line) for line in members[name].splitlines()] for name in files if "jsonl" in name}
    entries, groups = lines["ledger/entries.jsonl"], lines["ledger/groups.jsonl"]
    stubs, zone = lines.get("ledger/destroyed.jsonl", []), ZoneInfo(json.loads(manifest)["zone"])
    wrong = (
        []
        if signature["public"] in keys.values() and is_signed(signature, manifest)
        else ["the manifest does not carry the signature of the installation's key"]
    )
    wrong += [f"{name} is in the bundle twice" for name in members if names.count(name) > 1]
    wrong += [f"{name} was altered" for name in hashes | files if hashes.get(name) != files.get(name)]
    wrong += [*chains(entries, stubs, groups, json.loads(members["ledger/heads.json"])), *messages(entries)]
    wrong += [*seals(lines["seals.jsonl"], keys, groups), *frozen(entries, members)]
    wrong += [*destroyed(entries, stubs, groups, lines["seals.jsonl"], zone)]
    words = json.loads(members["wordings.json"]).items()
    wrong += [f"wording {key} was altered" for key, text in words if sha256(text.encode()) != key]
    print(*(wrong or ["Everything holds."]), sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
