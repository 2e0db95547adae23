// SPDX-License-Identifier: MIT
// The little of the Test Anything Protocol that the tests here need: numbered results, each test bounded in time.

let number = 0;
let failures = 0;

const bounded = (promise, seconds) => {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${seconds} s`)), seconds * 1000);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
};

export async function test(name, body, seconds = 30) {
  number++;
  try {
    await bounded(Promise.resolve().then(body), seconds);
    console.log(`ok ${number} - ${name}`);
  } catch (error) {
    failures++;
    console.log(`not ok ${number} - ${name}`);
    console.log(`${error.stack ?? error}${error.cause ? `\ncause: ${error.cause}` : ""}`.replace(/^/gm, "#   "));
  }
}

export function skip(name, reason) {
  number++;
  console.log(`ok ${number} - ${name} # SKIP ${reason}`);
}

export function finish() {
  console.log(`1..${number}`);
  process.exit(failures ? 1 : 0);
}
