import { expect, test } from "vitest";
import { idOf, parseJson, parseLines, startUnix, urlOf } from "../src/api.js";
import { decode, encode, initial, type UrlState } from "../src/url.js";

test("the address holds the whole view", () => {
  const s: UrlState = {
    page: "goroutines", args: ["group", "a/b?c#d&e"], view: { from: -5, to: 1e12 }, selection: { from: 1, to: 2, lanes: ["go:17", "proc:0"] },
    focus: { lane: "go:18446744073709551615", time: 42 }, filter: { states: [1, 5], function: "main.x&y=z", label: "chan receive", stack: "λ", min: 1000, max: null },
    colour: "function", clock: true, activeOnly: true, pins: ["gc", "group:3"], toggled: ["procs", "group:1"], memberSort: "start",
    top: "group:5~18", measure: { from: 7, to: 9 }, critical: { go: 17, from: 100, to: 200 }, options: { "sort-a-b": "-time", range: "1-2.5", "find-x": "a&b=c" },
  };
  expect(decode(encode(s))).toEqual(s);
});
test("critical paths are of a goroutine, a task, or a time", () => {
  for (const critical of [{ go: 1 }, { task: 2, from: 5, to: 9 }, { from: 5, to: 9 }, { lanes: ["group:7", "go:3"], from: 5, to: 9 }]) expect(decode(encode({ ...initial(), critical })).critical).toEqual(critical);
  for (const text of ["all", "go:x", "evil:1", "all@9-1", "group:7", "group:7,evil:1@5-9", ""]) expect(decode(`#/timeline?why=${text}`).critical).toBeNull();
});
test("an empty view is a short address", () => {
  expect(encode(initial())).toBe("#/timeline");
  expect(decode("")).toEqual(initial());
});
test("nonsense in an address is ignored", () => {
  const s = decode("#/nowhere?v=9-1&s=x&at=evil:1@5&pins=<script>,go:1&c=rainbow&fs=a,1&sort=%E0%A4%A&fmin=-1&top=x&m=3");
  expect(s).toEqual({ ...initial(), pins: ["go:1"], filter: { states: [1], function: "", label: "", stack: "", min: null, max: null } });
});
test("the wall clock keeps digits that numbers lose", () => expect(startUnix('{"start_unix": 1795305742496229655}')).toBe(1795305742496229655n));
test("answers are one object a line, or one object over many", () => {
  expect(parseLines('{"a":1}\n{"a":2}\n')).toEqual([{ a: 1 }, { a: 2 }]);
  expect(parseLines('{\n "a": 1\n}\n')).toEqual([{ a: 1 }]);
  expect(parseLines("")).toEqual([]);
});
test("queries leave out what is not set", () => expect(urlOf("members", { group: 0, q: "", from: null, sort: "id" })).toBe("/api/members?group=0&sort=id"));
test("ids keep digits that numbers lose", () => {
  expect(parseJson('{"id":9223372036854775807,"name":"say \\"9223372036854775807\\"","time":1776031716864,"share":0.1234567890123456789,"n":[12345678901234567890,7]}')).toEqual({
    id: "9223372036854775807", name: 'say "9223372036854775807"', time: 1776031716864, share: 0.12345678901234568, n: ["12345678901234567890", 7],
  });
  expect([idOf("17"), idOf("9223372036854775807")]).toEqual([17, "9223372036854775807"]);
});
