-- SPDX-License-Identifier: MIT
-- chainlink.signers: configurations from tables and files, changing them, what is wrong.

local chainlink = require "chainlink"
local check = require "spec.support.failure"
local project = require "spec.support.project"
local signers = require "chainlink.signers"

local function digest(byte) return "0x" .. ("%02x"):format(byte):rep(32) end
local function address(number) return ("0x%040x"):format(number) end

local function set(first, count, f)
  local addresses = {}
  for i = 1, count do addresses[i] = address(first + i) end
  return { signers = addresses, f = f }
end

-- A good set with one member changed.
local function but(name, value)
  local changed = set(0, 4, 1)
  changed[name] = value
  return { [digest(1)] = changed }
end

local function but_signer(key, value)
  local changed = set(0, 4, 1)
  changed.signers[key] = value
  return { [digest(1)] = changed }
end

describe("chainlink.signers", function()
  it("makes a registry of a table", function()
    local upper = "0X" .. digest(0xab):sub(3):upper()
    local registry = chainlink.signers { [digest(2)] = set(0, 4, 1), [upper] = set(100, 7, 2) }
    local got = registry:get(digest(0xab))
    assert.are.same(set(100, 7, 2).signers, got.signers)
    assert.are.equal(2, got.f)
    assert.is_true(got.active)
    assert.is_nil(registry:get(digest(3)))
    assert.are.equal("chainlink.signers: 2 configurations", tostring(registry))
  end)

  it("can be empty", function()
    assert.is_nil(chainlink.signers():each()())
    assert.is_nil(chainlink.signers {}:get(digest(1)))
  end)

  it("walks through its configurations in order", function()
    local registry = chainlink.signers {}
    for _, byte in ipairs { 200, 3, 90 } do registry:add(digest(byte), set(byte, 4, 1)) end
    local seen = {}
    for id, configuration in registry:each() do
      seen[#seen + 1] = id
      assert.are.equal(4, #configuration.signers)
      registry:remove(id) -- while walking
    end
    assert.are.same({ digest(3), digest(90), digest(200) }, seen)
    assert.is_nil(registry:each()())
  end)

  it("replaces, deactivates and removes", function()
    local registry = chainlink.signers { [digest(1)] = set(0, 4, 1) }
    assert.are.equal(registry, registry:add(digest(1), set(50, 10, 3)))
    assert.are.equal(3, registry:get(digest(1)).f)
    local inactive = set(50, 10, 3)
    inactive.active = false
    registry:add(digest(1), inactive)
    assert.is_false(registry:get(digest(1)).active)
    assert.is_true(registry:remove(digest(1)))
    assert.is_false(registry:remove(digest(1)))
  end)

  it("gives copies", function()
    local registry = chainlink.signers { [digest(1)] = set(0, 4, 1) }
    registry:get(digest(1)).signers[1] = "nobody"
    assert.are.equal(address(1), registry:get(digest(1)).signers[1])
  end)

  local wrong = {
    { 5, "expected a table of {signers=, f=} by config digest" },
    { { set(0, 4, 1) }, "a config digest must be a text of 0x and 64 hex digits, got 1" },
    { { [digest(1):sub(1, -2)] = set(0, 4, 1) }, "a config digest must be a text" },
    { { [digest(1):sub(1, -2) .. "g"] = set(0, 4, 1) }, "a config digest must be a text" },
    { { [digest(1)] = 5 }, digest(1) .. ": expected {signers=, f=}, got 5" },
    { but("n", 4), "unknown member \"n\" (a string), known are signers, f and active" },
    { but("f", 1.5), "f must be a whole number, got 1.5" },
    { but("f", "1"), 'f must be a whole number, got "1" (a string)' },
    { but("f", math.huge), "f must be a whole number, got inf" },
    { but("f", 0), "FaultToleranceMustBePositive" },
    { but("f", 1e300), "f is 1000000, got 4 (InsufficientSigners)" },
    { but("f", -1e300), "f must be 1 or more, got -1000000 (FaultToleranceMustBePositive)" },
    { but("active", 1), "active must be true or false, got 1" },
    { but("signers", "0x"), "signers must be an array of addresses, got" },
    { but_signer(0, address(9)), "signers must be an array of addresses, but has the key 0" },
    { but_signer(1.5, address(9)), "signers must be an array of addresses, but has the key 1.5" },
    { but_signer(100, address(9)), "signers must be an array of addresses, but has the key 100" },
    { but_signer("one", address(9)), "signers must be an array of addresses, but has the key \"one\"" },
    { but_signer(2, address(9) .. "0"), "signers[2] must be a text of 0x and 40 hex digits, got" },
    { but_signer(4, 5), "signers[4] must be a text of 0x and 40 hex digits, got 5" },
    { but_signer(3, "1" .. address(9):sub(2)), "signers[3] must be a text of 0x and 40 hex digits" },
    { but_signer(1, address(0)), "ZeroAddress" },
    { but_signer(4, address(1)), "NonUniqueSignatures" },
    { { [digest(1):sub(1, 2) .. digest(1)] = set(0, 4, 1) }, "a config digest must be a text" },
    { { [digest(1)] = set(0, 3, 1) }, digest(1) .. ": more than 3 * f signers are needed: f is 1, got 3" },
  }
  for _, case in ipairs(wrong) do
    it("raises: " .. case[2], function()
      check.says(check.raised("ConfigError", {}, chainlink.signers, case[1]), case[2])
    end)
  end

  it("raises, and stays as it was, when a configuration to be added is wrong", function()
    local registry = chainlink.signers { [digest(1)] = set(0, 4, 1) }
    check.raised("ConfigError", {}, registry.add, registry, digest(1), set(0, 4, 2))
    check.raised("ConfigError", {}, registry.add, registry, "0x", set(0, 4, 1))
    check.raised("ConfigError", {}, registry.remove, registry, 12)
    check.raised("ConfigError", {}, registry.get, registry, nil)
    assert.are.equal(1, registry:get(digest(1)).f)
    assert.is_false((pcall(registry.add, {}, digest(1), set(0, 4, 1))))
  end)
end)

describe("chainlink.signers.from_file", function()
  local folder, remove
  setup(function() folder, remove = project.folder() end)
  teardown(function() remove() end)

  local function from(text)
    project.write(folder .. "/signers.json", text)
    return chainlink.signers.from_file(folder .. "/signers.json")
  end

  it("reads JSON", function()
    local registry = assert(from(('{"%s": {"signers": ["%s","%s","%s","%s"], "f": 1, "active": false}}'):format(
      digest(7), address(1), address(2), address(3), address(4))))
    local got = registry:get(digest(7))
    assert.are.same({ address(1), address(2), address(3), address(4) }, got.signers)
    assert.are.equal(1, got.f)
    assert.is_false(got.active)
  end)

  it("reads one configuration with its digest inside", function()
    local one = ('{"f":1,"config_digest":"%s","signers":["%s","%s","%s","%s"]}'):format(digest(7), address(1),
      address(2), address(3), address(4))
    local registry = assert(from(one))
    assert.are.same({ signers = { address(1), address(2), address(3), address(4) }, f = 1, active = true },
      registry:get(digest(7)))
    check.says(check.failure("ConfigError", {}, from((one:gsub('"0x[^"]*"', "5", 1)))), "got 5")
    check.says(check.failure("ConfigError", {}, from '{"config_digest":null}'), "a config digest must be a text")
  end)

  it("leaves no file open", function()
    local real_open, closed = io.open, false
    io.open = function(path, mode) -- luacheck: ignore 122
      assert(path == "a file" and mode == "rb")
      return { read = function(_, what) return assert(what == "*a") and "{}" end, close = function() closed = true end }
    end
    local registry = chainlink.signers.from_file "a file"
    io.open = real_open -- luacheck: ignore 122
    assert.are.equal("chainlink.signers: 0 configurations", tostring(registry))
    assert.is_true(closed)
  end)

  it("answers an error naming the file for one that is wrong or not there", function()
    local wrong = { "", "null", "[1]", "{", "5", '{"0x":{}}', ('{"%s":{"signers":null,"f":1}}'):format(digest(1)),
      ('{"%s":{"signers":["%s"],"f":1}}'):format(digest(1), address(1)) }
    for _, text in ipairs(wrong) do
      check.says(check.failure("ConfigError", {}, from(text)), folder .. "/signers.json")
    end
    local path = folder .. "/signers.json"
    check.says(check.failure("ConfigError", {}, from "["), path .. " is not JSON: ")
    check.says(check.failure("ConfigError", {}, chainlink.signers.from_file(folder .. "/none")),
      "cannot read the signers: " .. folder .. "/none")
    check.says(check.failure("ConfigError", {}, chainlink.signers.from_file(folder)),
      "cannot read the signers: " .. folder .. ": not a file")
    check.raised("ConfigError", {}, chainlink.signers.from_file, nil)
  end)
end)

describe("a report", function()
  local sample = require "spec.support.sample"
  local report = chainlink.decode(sample.v3) -- by nobody's signatures
  local id = report.config_digest

  it("is verified by a registry, and by one set for every digest", function()
    local err = check.failure("VerificationError", {}, signers.verify(report, signers.new()))
    assert.are.equal("UnknownDigest", err.reason)
    for _, by in ipairs { signers.new { [id] = set(0, 4, 1) }, set(0, 4, 1) } do
      err = check.failure("VerificationError", {}, signers.verify(report, by))
      assert.are.equal("BadVerification", err.reason)
    end
    local inactive = set(0, 4, 1)
    inactive.active = false
    err = check.failure("VerificationError", {}, signers.verify(report, inactive))
    assert.are.equal("DigestInactive", err.reason)
    err = check.failure("VerificationError", {}, signers.verify(report, set(0, 7, 2)))
    assert.are.equal("IncorrectSignatureCount", err.reason)
  end)

  it("is not verified by what is wrong, which raises", function()
    for words, wrong in pairs { ["expected {signers=, f=}, got 5"] = 5, ["signers must be an array"] = {},
      ["FaultToleranceMustBePositive"] = set(0, 4, 0), ["InsufficientSigners"] = set(0, 3, 1) } do
      local err = check.says(check.raised("ConfigError", {}, signers.verify, report, wrong), words)
      assert.matches("^verify: ", err.message)
    end
  end)
end)

describe("the signers of an option", function()
  it("are a registry, or one set for every digest", function()
    local registry = chainlink.signers { [digest(1)] = set(0, 4, 1) }
    assert.are.equal(registry, signers.registry(registry))
    local one = signers.registry(set(0, 4, 1))
    assert.is_true(signers.is_registry(one))
    assert.is_true(signers.is_registry(registry))
    for _, other in ipairs { set(0, 4, 1), io.stdout, 5, "text" } do assert.is_false(signers.is_registry(other)) end
    assert.is_true(signers.is_either(registry))
    assert.is_true(signers.is_either {})
    for _, other in ipairs { io.stdout, 5, "text", true } do assert.is_false(signers.is_either(other)) end
  end)

  it("are refused with the option's name", function()
    for _, wrong in ipairs { {}, set(0, 4, 4), set(0, 4, 0) } do
      local err = check.raised("ConfigError", {}, signers.registry, wrong)
      assert.matches("^option 'verify': ", err.message)
    end
  end)
end)
