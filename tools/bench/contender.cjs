// The npm package cda-schematron-validator over the documents named on standard input; prints what it took as JSON.
//   node contender.cjs FOLDER-WITH-node_modules SCHEMATRON FOLDER-OF-voc.xml ROUNDS < list of files
const fs = require("fs");
const path = require("path");
const [modules, rules, resources, rounds] = process.argv.slice(2);
const at = { paths: [path.resolve(modules)] };
const { parseSchematron, validate } = require(require.resolve("cda-schematron-validator", at));
const { DOMParser } = require(require.resolve("@xmldom/xmldom", at));

const seconds = () => Number(process.hrtime.bigint()) / 1e9;
const began = seconds();
const text = fs.readFileSync(rules, "utf-8");
const parsedSchematronMap = parseSchematron(new DOMParser().parseFromString(text, "text/xml"));
const judge = (xml) =>
  validate(xml, text, { includeWarnings: false, resourceDir: resources, parsedSchematronMap }).errorCount;
const files = fs.readFileSync(0, "utf-8").split("\n").filter(Boolean);
judge(fs.readFileSync(files[0], "utf-8"));
const start = seconds() - began;
const documents = files.map((file) => {
  const xml = fs.readFileSync(file, "utf-8");
  const runs = [];
  let found = 0;
  for (let round = 0; round < Number(rounds); round++) {
    const from = seconds();
    found = judge(xml);
    runs.push(seconds() - from);
  }
  runs.sort((a, b) => a - b);
  return { bytes: Buffer.byteLength(xml), total: runs[Math.floor(runs.length / 2)], found };
});
process.stdout.write(JSON.stringify({ start, documents, peak: process.resourceUsage().maxRSS / 1024 }));
