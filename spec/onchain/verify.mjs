// SPDX-License-Identifier: MIT
// Lets the contracts judge the reports. Usage: verify.mjs URL DEPLOYMENT OUT COUNT. Writes a line a report: name, full
// report, "ok" and the blob, or the contract's reason and its arguments.
import { readFileSync, writeFileSync } from "node:fs";
import { AbiCoder, Interface } from "ethers";
import { callAll } from "./chain.mjs";
import { reports } from "./reports.mjs";

const [url, deploymentFile, target, count] = process.argv.slice(2);
const { contracts, addresses } = JSON.parse(readFileSync(deploymentFile, "utf8"));
const proxy = new Interface(contracts.VerifierProxy.abi);
const verifier = new Interface(contracts.Verifier.abi);

function verdict({ value, revert }) {
  if (value !== undefined) return ["ok", AbiCoder.defaultAbiCoder().decode(["bytes"], value)[0]];
  if (revert === "0x") return ["Undecodable"];
  const error = verifier.parseError(revert) ?? proxy.parseError(revert);
  return [error.name, ...error.args.map(String)];
}

const list = reports(Number(count));
const answers = await callAll(url, list.map(({ report }) => ({
  to: addresses.proxy, data: proxy.encodeFunctionData("verify", [report, "0x"]),
})));
const lines = list.map(({ name, report }, i) => [name, report, ...verdict(answers[i])].join("\t"));
writeFileSync(target, `${lines.join("\n")}\n`);
