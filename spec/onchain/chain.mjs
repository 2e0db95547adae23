// SPDX-License-Identifier: MIT
// The local node: batches of eth_call, the contracts on it, and the oracles' configurations.
import {
  Contract, ContractFactory, JsonRpcProvider, SigningKey, computeAddress, getBytes, id, keccak256, toUtf8Bytes,
} from "ethers";

// Asks the node in batches. -> for each call {value} or {revert: "0x…"}
export async function callAll(url, calls, size = 200) {
  const answers = [];
  for (let start = 0; start < calls.length; start += size) {
    const batch = calls.slice(start, start + size).map((call, i) => ({
      jsonrpc: "2.0", id: i, method: "eth_call", params: [call, "latest"],
    }));
    const response = await fetch(url, {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(batch),
    });
    const found = new Map((await response.json()).map((answer) => [answer.id, answer]));
    for (let i = 0; i < batch.length; i++) answers.push(readAnswer(found.get(i)));
  }
  return answers;
}

function readAnswer({ result, error }) {
  if (error === undefined) return { value: result };
  if (typeof error.data !== "string") throw new Error(`the node failed: ${JSON.stringify(error)}`);
  return { revert: error.data };
}

const oracle = (i) => new SigningKey(keccak256(toUtf8Bytes(`onchain oracle ${i}`)));
export const keys = Array.from({ length: 72 }, (_, i) => oracle(i));
export const addressOf = (key) => computeAddress(key.publicKey).toLowerCase();

// name: first key, number of keys, f, and what happens to the configuration after it was set
const plan = {
  small: [0, 4, 1],
  large: [4, 16, 5],
  largest: [20, 31, 10],
  overlapping: [2, 7, 2],
  deactivated: [51, 4, 1, "deactivate"],
  reactivated: [55, 4, 1, "deactivate", "activate"],
  unset: [59, 4, 1, "unset"],
  updated: [63, 4, 1, "update"], // to the four after, and f = 1
};

export const configurations = Object.fromEntries(Object.entries(plan).map(([name, [first, count, f, ...steps]]) => [
  name,
  {
    name, f, steps,
    digest: `0x0006${id(`configuration ${name}`).slice(6)}`,
    keys: keys.slice(first + (steps.includes("update") ? 4 : 0), first + count + (steps.includes("update") ? 4 : 0)),
    before: keys.slice(first, first + count),
    active: !steps.includes("deactivate") || steps.includes("activate"),
    known: !steps.includes("unset"),
  },
]));

const sent = async (promise) => (await promise).wait();

async function configure(proxy, verifier, { digest, keys: after, before, f, steps }) {
  await sent(verifier.setConfig(digest, before.map(addressOf), f, []));
  for (const step of steps) {
    if (step === "deactivate") await sent(verifier.deactivateConfig(digest));
    if (step === "activate") await sent(verifier.activateConfig(digest));
    if (step === "unset") await sent(proxy.unsetVerifier(digest));
    if (step === "update") await sent(verifier.updateConfig(digest, before.map(addressOf), after.map(addressOf), f));
  }
}

// A proxy of this version and its verifier, with these configurations.
async function pair(make, version, configurations) {
  const proxy = await make(`VerifierProxy${version}`, `0x${"00".repeat(20)}`);
  const verifier = await make(`Verifier${version}`, await proxy.getAddress());
  await sent(proxy.initializeVerifier(await verifier.getAddress()));
  for (const configuration of configurations) await configure(proxy, verifier, configuration);
  return { proxy, verifier };
}

// Puts a fee manager and an access controller that knows `reader` before a proxy.
async function guard(make, proxy, reader) {
  const address = await proxy.getAddress();
  const token = await (await make("Token", "a token", "T", 1n, reader)).getAddress();
  const manager = await make("FeeManager", token, token, address, address); // nobody pays, so that no rewards are due
  await sent(proxy.setFeeManager(await manager.getAddress()));
  const controller = await make("AccessController");
  await sent(controller.addAccess(reader));
  await sent(proxy.setAccessController(await controller.getAddress()));
}

// Deploys everything; the addresses.
export async function deploy(url, contracts) {
  const provider = new JsonRpcProvider(url, undefined, { staticNetwork: true, cacheTimeout: -1, pollingInterval: 50 });
  const signer = await provider.getSigner(0);
  const make = async (name, ...inputs) => {
    const { abi, bytecode } = contracts[name];
    const contract = await new ContractFactory(abi, bytecode, signer).deploy(...inputs);
    await contract.waitForDeployment();
    return new Contract(await contract.getAddress(), abi, signer);
  };
  const { proxy, verifier } = await pair(make, "", Object.values(configurations));
  const viewing = await pair(make, " 2.0.1", Object.values(configurations));
  const guarded = await pair(make, " 2.0.1", [configurations.small]);
  const reader = addressOf(keys[0]);
  await guard(make, guarded.proxy, reader);
  const decoder = await make("Decoder");
  const addresses = {
    proxy: await proxy.getAddress(), verifier: await verifier.getAddress(), decoder: await decoder.getAddress(),
    viewing_proxy: await viewing.proxy.getAddress(), guarded_proxy: await guarded.proxy.getAddress(), reader,
  };
  provider.destroy();
  return addresses;
}

// A deterministic source of randomness.
export function random(seed) {
  let counter = 0;
  const below = (n) => Number(BigInt(keccak256(toUtf8Bytes(`${seed} ${++counter}`))) % BigInt(n));
  return {
    below,
    bytes: (n) => {
      const out = new Uint8Array(n);
      for (let at = 0; at < n; at += 32) {
        out.set(getBytes(keccak256(toUtf8Bytes(`${seed} ${++counter}`))).slice(0, n - at), at);
      }
      return out;
    },
    pick: (list) => list[below(list.length)],
    shuffled: (list) => {
      const copy = [...list];
      for (let i = copy.length - 1; i > 0; i--) {
        const j = below(i + 1);
        [copy[i], copy[j]] = [copy[j], copy[i]];
      }
      return copy;
    },
  };
}
