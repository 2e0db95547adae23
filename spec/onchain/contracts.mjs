// SPDX-License-Identifier: MIT
// Compiles the verifier contracts of the unpacked @chainlink/contracts package (its folder is the first argument), and
// a contract of our own that does nothing but abi.decode. Writes their ABI and byte code to the second argument.
import { readFileSync, writeFileSync } from "node:fs";
import { posix } from "node:path";
import { createRequire } from "node:module";
import { allSchemas } from "../interop/schemas.mjs";

const [packageFolder, target] = process.argv.slice(2);
const solc = createRequire(import.meta.url)("solc");

// One function a schema; a static struct has the encoding of its members.
function decoderSource() {
  const parts = [...allSchemas].map(([version, fields]) => {
    const members = fields.map(({ type, name }) => `${type} ${name};`).join(" ");
    return `  struct V${version} { ${members} }
  function v${version}(bytes calldata blob) external pure returns (V${version} memory) {
    return abi.decode(blob, (V${version}));
  }`;
  });
  return `// SPDX-License-Identifier: MIT
pragma solidity 0.8.19;
contract Decoder {
  function envelope(bytes calldata report) external pure
    returns (bytes32[3] memory, bytes memory, bytes32[] memory, bytes32[] memory, bytes32)
  {
    return abi.decode(report, (bytes32[3], bytes, bytes32[], bytes32[], bytes32));
  }
  function feedId(bytes calldata blob) external pure returns (bytes32) { return abi.decode(blob, (bytes32)); }
${parts.join("\n")}
}
`;
}

// The file of an import: within the package, or of the OpenZeppelin version that it names.
function fileOf(name) {
  const library = name.match(/^@openzeppelin\/contracts@([\d.]+)\/(.*)$/);
  if (library) return new URL(`node_modules/@openzeppelin/contracts-${library[1]}/${library[2]}`, import.meta.url);
  return posix.join(packageFolder, name);
}

// Our names, and where the contracts are.
const feeds = "src/v0.8/llo-feeds";
const contracts = {
  "VerifierProxy": [`${feeds}/v0.5.0/VerifierProxy.sol`, "VerifierProxy"],
  "Verifier": [`${feeds}/v0.5.0/Verifier.sol`, "Verifier"],
  "VerifierProxy 2.0.1": [`${feeds}/v0.5.1/VerifierProxy.sol`, "VerifierProxy"],
  "Verifier 2.0.1": [`${feeds}/v0.5.1/Verifier.sol`, "Verifier"],
  "FeeManager": [`${feeds}/v0.5.1/FeeManager.sol`, "FeeManager"],
  "AccessController": ["src/v0.8/shared/access/SimpleWriteAccessController.sol", "SimpleWriteAccessController"],
  "Token": ["@openzeppelin/contracts@4.8.3/token/ERC20/presets/ERC20PresetFixedSupply.sol", "ERC20PresetFixedSupply"],
};
const input = {
  language: "Solidity",
  sources: {
    "Decoder.sol": { content: decoderSource() },
    ...Object.fromEntries(Object.values(contracts).map(([file]) => [
      file, { content: readFileSync(fileOf(file), "utf8") },
    ])),
  },
  settings: {
    optimizer: { enabled: true, runs: 10000 },
    outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
  },
};
const findImports = (name) => {
  try {
    return { contents: readFileSync(fileOf(name), "utf8") };
  } catch (error) {
    return { error: String(error) };
  }
};

const output = JSON.parse(solc.compile(JSON.stringify(input), { import: findImports }));
const errors = (output.errors ?? []).filter(({ severity }) => severity === "error");
if (errors.length > 0) throw new Error(errors.map(({ formattedMessage }) => formattedMessage).join("\n"));

contracts.Decoder = ["Decoder.sol", "Decoder"];
writeFileSync(target, JSON.stringify(Object.fromEntries(Object.entries(contracts).map(([ours, [file, name]]) => {
  const { abi, evm } = output.contracts[file][name];
  return [ours, { abi, bytecode: `0x${evm.bytecode.object}` }];
}))));
