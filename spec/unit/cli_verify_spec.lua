-- SPDX-License-Identifier: MIT
-- chainlink-streams verify, by a file of signers; by a chain: spec/onchain/verify.lua.

local cjson = require "cjson"
local project = require "spec.support.project"
local vectors = require "spec.support.vectors"

local function two_signed()
  for _, vector in ipairs(vectors.made()) do
    if #vector.signers == 2 and vector.version == 3 and vector.signers[1] ~= vector.signers[2] then return vector end
  end
end

describe("chainlink-streams verify", function()
  local folder, remove, good, bad
  setup(function()
    local vector = two_signed()
    folder, remove = project.folder()
    good = vector.fullReport
    bad = good:sub(1, -2) .. (good:sub(-1) == "0" and "1" or "0")
    local signers = { vector.signers[1], vector.signers[2], "0x" .. ("11"):rep(20), "0x" .. ("22"):rep(20) }
    project.write(folder .. "/signers.json", cjson.encode { [good:sub(1, 66)] = { signers = signers, f = 1 } })
    project.write(folder .. "/reports", good .. "\n\n" .. bad .. "\n")
  end)
  teardown(function() if remove then remove() end end)

  local function run(arguments)
    return project.run("timeout 60 chainlink-streams verify " .. arguments:gsub("FOLDER", folder) .. " 2>&1")
  end

  it("says which reports are verified, and so does its exit code", function()
    local output, status = run("--signers FOLDER/signers.json " .. good)
    assert.equal(0, status, output)
    assert.matches("^verified  v3 ", output)
    output, status = run("--signers FOLDER/signers.json " .. good .. " " .. bad)
    assert.equal(4, status, output)
    assert.matches("^verified  v3 .-\nREFUSED   v3 .-\n +BadVerification", output)
  end)

  it("reads standard input and writes JSON and CSV", function()
    local output, status = run "--signers FOLDER/signers.json --format json < FOLDER/reports"
    assert.equal(4, status, output)
    local first, second = output:match "^(.-)\n(.-)\n$"
    assert.equal(true, cjson.decode(first).verified)
    assert.equal(good:sub(1, 66), cjson.decode(first).config_digest)
    assert.is_nil(cjson.decode(first).reason)
    assert.equal(false, cjson.decode(second).verified)
    assert.equal("BadVerification", cjson.decode(second).reason)
    output, status = run "--signers FOLDER/signers.json --format csv < FOLDER/reports"
    assert.equal(4, status, output)
    assert.matches("^feed_id,[%l_,]+,verified,reason\n[^\n]+,true,\n[^\n]+,false,BadVerification\n$", output)
  end)

  for arguments, expected in pairs {
    [""] = { 2, "whose word counts" },
    ["--rpc-url http://127.0.0.1:1"] = { 2, "needs either %-%-network" },
    ["--rpc-url http://127.0.0.1:1 --network nowhere"] = { 2, "no network is named" },
    ["--signers FOLDER/signers.json --network arbitrum"] = { 2, "not both" },
    ["--signers FOLDER/signers.json --ca-file x"] = { 2, "not both" },
    ["--signers FOLDER/signers.json --verifier-proxy 0x00"] = { 2, "not both" },
    ["--signers FOLDER/signers.json --rpc-url http://127.0.0.1:1"] = { 2, "not both" },
    ["--rpc-url https://127.0.0.1:1 --network arbitrum --ca-file FOLDER/nothing.pem"] = { 2, "nothing.pem" },
    ["--signers FOLDER/nothing.json"] = { 2, "cannot read the signers" },
    ["--signers FOLDER/signers.json 0x12"] = { 1, "DecodeError" },
  } do
    it("explains what is wrong: " .. arguments, function()
      local output, status = run(arguments .. " " .. good)
      assert.equal(expected[1], status, output)
      assert.matches(expected[2], output)
    end)
  end

  it("does not take a node that does not answer for a verdict", function()
    local output, status = run("--rpc-url http://127.0.0.1:1 --network arbitrum " .. good)
    assert.equal(1, status, output)
    assert.matches("NetworkError", output)
  end)
end)
