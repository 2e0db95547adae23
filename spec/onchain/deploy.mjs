// SPDX-License-Identifier: MIT
// Deploys the compiled contracts and sets the configurations. Usage: deploy.mjs URL CONTRACTS OUT
import { readFileSync, writeFileSync } from "node:fs";
import { addressOf, configurations, deploy } from "./chain.mjs";

const [url, contractsFile, target] = process.argv.slice(2);
const contracts = JSON.parse(readFileSync(contractsFile, "utf8"));
const addresses = await deploy(url, contracts);
const described = Object.values(configurations).map(({ name, digest, f, keys, active, known }) => ({
  name, digest, f, active, known, signers: keys.map(addressOf),
}));
writeFileSync(target, JSON.stringify({ contracts, addresses, configurations: described }));
