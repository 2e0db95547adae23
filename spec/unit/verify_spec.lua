-- SPDX-License-Identifier: MIT
-- Digests, signers and verification: against vectors of an independent implementation, and with single bits changed.

local chainlink = require "chainlink"
local check = require "spec.support.failure"
local sample = require "spec.support.sample"
local vectors = require "spec.support.vectors"

local function union(reports)
  local all, seen = {}, {}
  for _, vector in ipairs(reports) do
    for _, signer in ipairs(vector.signers) do
      if not seen[signer] then all[#all + 1] = signer end
      seen[signer] = true
    end
  end
  return all
end

-- Up to `count` signers by addresses that nobody has.
local function padded(signers, count)
  local all = {}
  for i, signer in ipairs(signers) do all[i] = signer end
  for i = #all + 1, count do all[i] = ("0x%040x"):format(0xbad0000 + i) end
  return all
end

-- Signers and f by which the report of a vector verifies.
local function own(vector)
  local f = #vector.signers - 1
  return { signers = padded(vector.signers, 3 * f + 1), f = f }
end

local function decode(text) return assert(chainlink.decode(text)) end

local function xor_bit(byte, bit)
  local value = 2 ^ bit
  return math.floor(byte / value) % 2 == 1 and byte - value or byte + value
end

local function flip(bytes, bit)
  local at = math.floor(bit / 8) + 1
  return bytes:sub(1, at - 1) .. string.char(xor_bit(bytes:byte(at), bit % 8)) .. bytes:sub(at + 1)
end

-- The bits that the signatures protect: context, v, blob, r and s of a report in the usual layout.
local function protected(report)
  local blob = #report.report_blob / 2 - 1
  local count = #report.signatures
  local parts = { { 0, 96 }, { 192, count }, { 256, blob }, { 256 + blob + 32, 32 * count },
    { 256 + blob + 64 + 32 * count, 32 * count } }
  local bits = {}
  for _, part in ipairs(parts) do
    for bit = 8 * part[1], 8 * (part[1] + part[2]) - 1 do bits[#bits + 1] = bit end
  end
  return bits
end

-- A changed report is no report any more, or one that does not verify.
local function rejected(bytes, bit, by)
  local report, err = chainlink.decode(flip(bytes, bit))
  if not report then return err.kind == "DecodeError" end
  local ok, reason = report:verify(by)
  return ok == nil and reason.kind == "VerificationError" and (reason.reason == "BadVerification"
    or reason.reason == "Panic")
end

local function check_vector(vector)
  local report = decode(vector.fullReport)
  assert.are.equal(vector.digest, report:digest())
  assert.are.same(vector.signers, assert(report:signers()))
  if #vector.signers >= 2 and #vector.signers <= 11 then
    assert.is_true(report:verify(own(vector)))
    local foreign = own(vector)
    foreign.signers[1] = "0x" .. ("11"):rep(20)
    check.failure("VerificationError", { reason = "BadVerification" }, report:verify(foreign))
  end
  return report
end

describe("vectors", function()
  it("have the digest and the signers that another implementation finds, and verify by them", function()
    local count = 0
    for _, vector in ipairs(vectors.made()) do
      check_vector(vector)
      count = count + 1
    end
    assert.is_true(count >= 195)
  end)
end)

describe("the signers of a report", function()
  it("are looked for among 31 signatures, as many as the contract has v for", function()
    local blob = { sample.feed_id(99):sub(3) }
    local report = decode(sample.report(blob, 31))
    assert.are.equal(31, #report.signatures)
    local reason = check.failure("VerificationError", { reason = "BadVerification" }, report:signers())
    assert.matches("signature 1 is of none", reason.message)
    local many = decode(sample.report(blob, 32))
    check.says(check.failure("VerificationError", { reason = "IncorrectSignatureCount" }, many:signers()),
      "has 32 signatures")
  end)
end)

describe("real reports", function()
  local real = vectors.real()
  local absent = vectors.REAL_REPORTS .. " is absent"

  it("have the digest and the signers of the oracles, and verify by them", function()
    if not real then return pending(absent) end
    for _, vector in ipairs(real) do check_vector(vector) end
  end)

  it("of testnet verify by its four oracles and f 1", function()
    if not real then return pending(absent) end
    local two = {}
    for _, vector in ipairs(real) do
      if #vector.signers == 2 then two[#two + 1] = vector end
    end
    local by = { signers = union(two), f = 1 }
    assert.are.equal(4, #by.signers)
    for _, vector in ipairs(two) do assert.is_true(decode(vector.fullReport):verify(by)) end
  end)

  it("verify no more with any one bit changed, all of one report", function()
    if not real then return pending(absent) end
    local report = decode(real[1].fullReport)
    local bytes, by, bits = report:bytes(), own(real[1]), protected(report)
    assert.are.equal(8 * (96 + 2 + 288 + 128), #bits)
    for _, bit in ipairs(bits) do assert.is_true(rejected(bytes, bit, by), "bit " .. bit) end
  end)

  it("verify no more with any one bit changed, some of every report", function()
    if not real then return pending(absent) end
    math.randomseed(20240229)
    for _, vector in ipairs(real) do
      local report = decode(vector.fullReport)
      local bytes, by, bits = report:bytes(), own(vector), protected(report)
      for _ = 1, 100 do
        local bit = bits[math.random(#bits)]
        assert.is_true(rejected(bytes, bit, by), vector.digest .. " bit " .. bit)
      end
    end
  end)

  it("verify no more with any one bit of their signers changed", function()
    if not real then return pending(absent) end
    local report = decode(real[1].fullReport)
    for signer = 1, 2 do
      for digit = 3, 42 do
        for bit = 0, 3 do
          local by = own(real[1])
          local text = by.signers[signer]
          local changed = ("%x"):format(xor_bit(tonumber(text:sub(digit, digit), 16), bit))
          by.signers[signer] = text:sub(1, digit - 1) .. changed .. text:sub(digit + 1)
          check.failure("VerificationError", { reason = "BadVerification" }, report:verify(by))
        end
      end
    end
  end)
end)

describe("report:verify", function()
  local vector
  for _, candidate in ipairs(vectors.made()) do
    if #candidate.signers == 2 then vector = candidate end
  end
  local report = decode(vector.fullReport)

  it("tells the contract's reason", function()
    local one = own(vector)
    local two = { signers = padded(vector.signers, 7), f = 2 }
    check.says(check.failure("VerificationError", { reason = "IncorrectSignatureCount", retryable = false },
      report:verify(two)), "2 signatures, not exactly 3")
    one.active = false
    check.failure("VerificationError", { reason = "DigestInactive" }, report:verify(one))
    one.active = true
    assert.is_true(report:verify(one))
  end)

  it("takes addresses in either case", function()
    local by = own(vector)
    for i, signer in ipairs(by.signers) do by.signers[i] = "0X" .. signer:sub(3):upper() end
    assert.is_true(report:verify(by))
  end)

  it("asks the registry for the report's digest", function()
    local registry = chainlink.signers()
    check.failure("VerificationError", { reason = "UnknownDigest" }, report:verify(registry))
    registry:add(report.config_digest, own(vector))
    assert.is_true(report:verify(registry))
    assert.is_true(registry:remove(report.config_digest))
    check.failure("VerificationError", { reason = "UnknownDigest" }, report:verify(registry))
  end)

  local good = own(vector)
  local wrong = {
    { nil, "expected {signers=, f=}, got nil" }, { "0x", "expected {signers=, f=}" },
    { {}, "signers must be an array" },
    { { signers = good.signers }, "f must be a whole number, got nil" },
    { { signers = good.signers, f = 1.5 }, "f must be a whole number" },
    { { signers = good.signers, f = "1" }, "f must be a whole number" },
    { { signers = good.signers, f = 0 }, "FaultToleranceMustBePositive" },
    { { signers = good.signers, f = 2 }, "InsufficientSigners" },
    { { signers = good.signers, f = 2 ^ 40 }, "InsufficientSigners" },
    { { signers = padded({}, 32), f = 1 }, "ExcessSigners" },
    { { signers = padded({ "0x" .. ("0"):rep(40) }, 4), f = 1 }, "ZeroAddress" },
    { { signers = { good.signers[1], good.signers[2], "0X" .. good.signers[1]:sub(3):upper(), good.signers[3] },
      f = 1 }, "NonUniqueSignatures" },
    { { signers = { "0x12" }, f = 1 }, "signers[1] must be a text of 0x and 40 hex digits" },
    { { signers = { good.signers[1], 5 }, f = 1 }, "signers[2] must be a text" },
    { { signers = { x = good.signers[1] }, f = 1 }, "but has the key" },
    { { signers = good.signers, f = 1, F = 1 }, 'unknown member "F"' },
    { { signers = good.signers, f = 1, active = 1 }, "active must be true or false" },
  }
  for i, case in ipairs(wrong) do
    it(("raises for wrong signers (%d): %s"):format(i, case[2]), function()
      check.says(check.raised("ConfigError", {}, report.verify, report, case[1]), case[2])
    end)
  end
  it("raises for nothing", function()
    check.says(check.raised("ConfigError", {}, report.verify, report), "expected {signers=, f=}, got nil")
  end)
end)

describe("report:signers", function()
  local hex = vectors.made()[1].fullReport

  it("fails where none can be recovered", function()
    local at = 2 + 2 * 192
    for _, v in ipairs { "02", "e4" } do
      local report = decode(hex:sub(1, at) .. v .. hex:sub(at + 3))
      check.failure("VerificationError", { reason = "BadVerification" }, report:signers())
    end
    local report = decode(hex:sub(1, at) .. "e5" .. hex:sub(at + 3))
    check.failure("VerificationError", { reason = "Panic" }, report:signers())
  end)

  it("fails where there are more or fewer s than r", function()
    local report = decode(hex:sub(1, -129) .. ("0"):rep(64) .. hex:sub(-64))
    check.failure("VerificationError", { reason = "MismatchedSignatures" }, report:signers())
  end)
end)
