// SPDX-License-Identifier: MIT
// Lets the contracts judge the reports. Usage: verify.mjs URL DEPLOYMENT OUT COUNT. Writes a line a report: name, full
// report, "ok" and the blob, or the contract's reason and its arguments, which both versions agree on.
import { readFileSync, writeFileSync } from "node:fs";
import { AbiCoder, Interface } from "ethers";
import { callAll } from "./chain.mjs";
import { reports } from "./reports.mjs";

const [url, deploymentFile, target, count] = process.argv.slice(2);
const { contracts, addresses } = JSON.parse(readFileSync(deploymentFile, "utf8"));
const proxy = new Interface(contracts["VerifierProxy 2.0.1"].abi);
const verifier = new Interface(contracts.Verifier.abi);

function verdict({ value, revert }) {
  if (value !== undefined) return ["ok", AbiCoder.defaultAbiCoder().decode(["bytes"], value)[0]];
  if (revert === "0x") return ["Undecodable"];
  const error = verifier.parseError(revert) ?? proxy.parseError(revert);
  return [error.name, ...error.args.map(String)];
}

const list = reports(Number(count));
const judge = async (to, name, ...rest) => (await callAll(url, list.map(({ report }) => ({
  to, data: proxy.encodeFunctionData(name, [report, ...rest]),
})))).map(verdict);
const verdicts = await judge(addresses.proxy, "verify", "0x");
const views = await judge(addresses.viewing_proxy, "verifyView");
list.forEach(({ name }, i) => {
  if (String(views[i]) !== String(verdicts[i])) throw new Error(`${name}: ${views[i]}, but once ${verdicts[i]}`);
});
const lines = list.map(({ name, report }, i) => [name, report, ...verdicts[i]].join("\t"));
writeFileSync(target, `${lines.join("\n")}\n`);
