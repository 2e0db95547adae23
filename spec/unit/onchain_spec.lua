-- SPDX-License-Identifier: MIT
-- chainlink.onchain against nodes that answer this and that; the contracts themselves are in spec/onchain.

local chainlink = require "chainlink"
local node = require "spec.support.node"
local onchain = require "chainlink.onchain"
local project = require "spec.support.project"
local sample = require "spec.support.sample"

local PROXY, VERIFIER = "0x" .. ("1a"):rep(20), "0x" .. ("2b"):rep(20)
local DIGEST = "0x" .. ("0a"):rep(32)
local report = assert(chainlink.decode(sample.v3))
local other = assert(chainlink.decode(sample.v8))
local blob = report.report_blob:sub(3)

local function word(number) return ("%064x"):format(number) end

local function with(methods)
  local post, asked = node.new(methods)
  return onchain.new({ verifier_proxy = PROXY }, post), asked
end

local VERIFY, VERIFY_BULK = "0xf7e83aee", "0xf873a61c"
local VERIFY_VIEW, VERIFY_BULK_VIEW = "0x51b34c90", "0x665bc7a3"
local NO_FUNCTION = '{"code":3,"message":"execution reverted","data":"0x"}'
local NOTHING = word(32) .. word(0) -- an empty bytes[]

-- A proxy 2.0.0 whose eth_call answers this, and what it is asked.
local function calling(result, err)
  return with { eth_call = function(params)
    if params[1].data == VERIFY_BULK_VIEW .. NOTHING then return nil, NO_FUNCTION end
    return result, err
  end }
end

-- A proxy 2.0.1, which answers no other function.
local function viewing(result, err)
  return with { eth_call = function(params)
    local data = params[1].data
    if data == VERIFY_BULK_VIEW .. NOTHING then return '"0x' .. NOTHING .. '"' end
    local selector = data:sub(1, 10)
    if selector == VERIFY_VIEW or selector == VERIFY_BULK_VIEW then return result, err end
    return nil, NO_FUNCTION
  end }
end

local CONFIG_SET = "0x5b1f376eb2bda670fa39339616d0a73f45b61bec8faeba8ca834f2ebb49676e0"
local CONFIG_UPDATED = "0xb0b75a854fab801413da6202fc07e875c54eaf371a1e3909fb2645364ba58616"

local function padded(hex) return hex .. ("0"):rep(-#hex % 64) end

local function raw(body)
  return onchain.new({ verifier_proxy = PROXY }, function() return body end)
end

describe("onchain:verify", function()
  it("asks the proxy and compares the blob", function()
    local chain, asked = calling(node.bytes(blob))
    assert.is_true(chain:verify(report))
    local call = asked[2].params[1]
    assert.equal(PROXY, call.to)
    assert.is_nil(call.from)
    local payload = report.full_report:sub(3)
    local tail = padded(payload)
    assert.equal(VERIFY .. word(64) .. word(96 + #tail / 2) .. word(#payload / 2) .. tail .. word(0), call.data)
    assert.equal("latest", asked[2].params[2])
  end)

  it("takes a report alone", function()
    local chain, asked = calling(node.bytes(blob))
    for _, wrong in ipairs { {}, report.full_report, false } do
      local ok, err = pcall(chain.verify, chain, wrong)
      assert.is_false(ok)
      assert.matches("report must be a report, got ", tostring(err), 1, true)
    end
    assert.is_nil(asked[1])
  end)

  it("refuses another blob", function()
    local ok, err = calling(node.bytes(other.report_blob:sub(3))):verify(report)
    assert.is_nil(ok)
    assert.equal("VerificationError", err.kind)
    assert.equal("BlobMismatch", err.reason)
  end)

  it("says that nothing answers at the address", function()
    local ok, err = calling '"0x"':verify(report)
    assert.is_nil(ok)
    assert.same({ "DecodeError", "eth_call: nothing answers at " .. PROXY .. ": is this node one of the right network?",
      "a VerifierProxy contract" }, { err.kind, err.message, err.expected })
  end)

  it("takes the caller's address", function()
    local post, asked = node.new { eth_call = function() return node.bytes(blob) end }
    assert.is_true(onchain.new({ verifier_proxy = PROXY, from = VERIFIER:upper() }, post):verify(report))
    assert.equal(VERIFIER, asked[1].params[1].from)
  end)
end)

describe("a revert", function()
  local count = "5348a282" .. word(3) .. word(2)
  local shapes = {
    anvil = ('{"code":3,"message":"execution reverted: custom error 0x5348a282","data":"0x%s"}'):format(count),
    geth = ('{"code":3,"message":"execution reverted","data":"0x%s"}'):format(count),
    ["code -32000"] = ('{"code":-32000,"message":"Execution reverted","data":"0x%s"}'):format(count),
    Nethermind = ('{"code":-32015,"message":"VM execution error.","data":"Reverted 0x%s"}'):format(count),
    Hardhat = ('{"code":-32603,"message":"Error: VM Exception","data":{"message":"x","data":"0x%s"}}'):format(count),
    ["nested once more"] = ('{"code":-32603,"message":"x","data":{"data":{"data":"0x%s"}}}'):format(count),
    Ganache = ('{"code":-32000,"message":"VM Exception: revert","data":{"hash":null,"result":"0x%s"}}'):format(count),
    ["old Ganache"] = ('{"code":-32000,"message":"x","data":{"0x12":{"return":"0x%s"},"stack":"x"}}'):format(count),
    ["in the message"] = ('{"code":-32000,"message":"execution reverted: 0x%s"}'):format(count),
    ["in upper case"] = ('{"code":3,"message":"execution reverted","data":"0x%s"}'):format(count:upper()),
  }
  for name, shape in pairs(shapes) do
    it("is read as nodes say it: " .. name, function()
      local ok, err = calling(nil, shape):verify(report)
      assert.is_nil(ok)
      assert.equal("VerificationError", err.kind)
      assert.equal("IncorrectSignatureCount", err.reason)
      assert.matches("there are not exactly f %+ 1 signatures: got 3, expected 2$", err.message)
      assert.equal(3, err.got)
      assert.equal(2, err.expected)
    end)
  end

  local function reason_of(data)
    local _, err = calling(nil, ('{"code":3,"message":"execution reverted","data":"0x%s"}'):format(data)):verify(report)
    assert.equal("VerificationError", err.kind)
    return err.reason, err
  end

  it("has the contract's name and arguments", function()
    local reason, err = reason_of("b151802b" .. DIGEST:sub(3))
    assert.equal("VerifierNotFound", reason)
    assert.equal(DIGEST, err.config_digest)
    assert.equal("VerifierNotFound: the proxy has no verifier for the config digest: " .. DIGEST, err.message)
    reason, err = reason_of("d990d621" .. DIGEST:sub(3))
    assert.equal("DigestInactive", reason)
    assert.equal(DIGEST, err.config_digest)
    reason, err = reason_of("f0d31408" .. word(2) .. word(5))
    assert.equal("MismatchedSignatures", reason)
    assert.same({ 5, 2 }, { err.got, err.expected })
    assert.equal("BadVerification", (reason_of "4df18f07"))
    assert.equal("Panic", (reason_of("4e487b71" .. word(17))))
  end)

  it("of an access controller says nothing about the report", function()
    local ok, err = calling(nil, '{"code":3,"message":"execution reverted","data":"0xef67f5d8"}'):verify(report)
    assert.is_nil(ok)
    assert.same({ "AuthenticationError", "AccessForbidden", false }, { err.kind, err.reason, err.retryable })
    assert.matches("^AccessForbidden: the proxy's access controller refuses the caller", err.message)
  end)

  it("without data is a revert where the words of the data say so", function()
    local ok, err = calling(nil, '{"code":-32015,"message":"VM execution error.","data":"Reverted 0x"}'):verify(report)
    assert.is_nil(ok)
    assert.same({ "VerificationError", "Reverted" }, { err.kind, err.reason })
  end)

  it("is one by its code alone, with data or without", function()
    for _, shape in ipairs { '{"code":3,"message":"x","data":"0x"}', '{"code":3,"message":"x"}' } do
      local ok, err = calling(nil, shape):verify(report)
      assert.is_nil(ok)
      assert.same({ "VerificationError", "the contract reverted without a reason" }, { err.kind, err.message })
    end
    local _, err = calling(nil, '{"code":-32000,"message":"execution reverted","data":"0x1234"}'):verify(report)
    assert.equal("the contract reverted: 0x1234", err.message)
    _, err = calling(nil, '{"code":4,"message":"x","data":"0x"}'):verify(report)
    assert.equal("APIError", err.kind)
  end)

  it("of which nothing is known is told by its first bytes", function()
    local _, err = reason_of("12345678" .. ("ab"):rep(200))
    assert.equal("the contract reverted: 0x12345678" .. ("ab"):rep(32), err.message)
    _, err = calling(nil, ('{"code":-1,"message":"%s"}'):format(("a"):rep(300))):verify(report)
    assert.equal("eth_call: the node answered error -1: " .. ("a"):rep(200), err.message)
  end)

  it("without a known reason is told as it came", function()
    local reason, err = reason_of ""
    assert.equal("Reverted", reason)
    assert.matches("without a reason", err.message)
    reason, err = reason_of "12345678"
    assert.equal("Reverted", reason)
    assert.matches("0x12345678", err.message)
    reason, err = reason_of("08c379a0" .. word(32) .. word(5) .. "68656c6c0a" .. ("0"):rep(54))
    assert.equal("Reverted", reason)
    assert.matches("hell%?$", err.message)
    reason, err = reason_of("08c379a0" .. word(32) .. word(5) .. "68656c6c6f") -- not padded, but whole
    assert.equal("Reverted", reason)
    assert.matches(": hello$", err.message)
    reason, err = reason_of("08c379a0" .. word(32) .. word(6) .. "1f207e7f80ff" .. ("0"):rep(52))
    assert.equal("Reverted", reason)
    assert.matches(": %? ~%?%?%?$", err.message)
    reason, err = reason_of("08c379a0" .. word(32) .. word(300) .. ("61"):rep(300) .. ("0"):rep(40))
    assert.equal("Reverted", reason)
    assert.matches(": " .. ("a"):rep(200) .. "$", err.message)
    for _, cut in ipairs { word(32) .. word(6) .. "6162636465", word(64) .. word(1) .. word(97), word(32) } do
      reason, err = reason_of("08c379a0" .. cut)
      assert.equal("Reverted", reason)
      assert.matches("0x08c379a0", err.message)
    end
    assert.equal("Reverted", (reason_of "b151802b00")) -- its argument is cut
    assert.equal("Reverted", (reason_of("5348a282" .. ("f"):rep(64) .. word(2)))) -- no count is so large
  end)

  it("is found four tables deep in the error's data, and no deeper", function()
    for _, member in ipairs { "data", "x" } do
      local function nested(depth)
        local data = ('{"%s":'):format(member):rep(depth) .. '"0x4df18f07"' .. ("}"):rep(depth)
        if member == "x" then data = data:gsub('"x":"0x', '"data":"0x') end
        return select(2, calling(nil, '{"code":-32603,"message":"x","data":' .. data .. "}"):verify(report))
      end
      assert.equal("BadVerification", nested(4).reason)
      assert.equal("APIError", nested(5).kind)
    end
  end)

  it("is not every error of a node", function()
    local ok, err = calling(nil, '{"code":-32005,"message":"daily\\nlimit"}'):verify(report)
    assert.is_nil(ok)
    assert.equal("APIError", err.kind)
    assert.matches("error %-32005: daily%?limit", err.message)
    ok, err = calling(nil, '{"code":-32601,"message":"no such method","data":"0x"}'):verify(report)
    assert.is_nil(ok)
    assert.equal("APIError", err.kind)
  end)

  it("may come with an HTTP error status", function()
    local failure = require("chainlink.errors").new("APIError", "POST / answered 400",
      { status = 400, body = '{"error":{"code":3,"message":"execution reverted","data":"0x4df18f07"}}' })
    local ok, err = onchain.new({ verifier_proxy = PROXY }, function() return nil, failure end):verify(report)
    assert.is_nil(ok)
    assert.equal("BadVerification", err.reason)
  end)
end)

describe("onchain:verify_bulk", function()
  it("asks once for all", function()
    local one, two = blob, other.report_blob:sub(3)
    local chain, asked = calling(('"0x%s%s%s%s%s%s%s%s"'):format(word(32), word(2), word(64), word(96 + #one / 2),
      word(#one / 2), one, word(#two / 2), two))
    assert.is_true(chain:verify_bulk { report, other })
    assert.equal(2, #asked)
    local first, second = report.full_report:sub(3), other.full_report:sub(3)
    local tail = word(#first / 2) .. padded(first)
    local list = word(2) .. word(64) .. word(64 + #tail / 2) .. tail .. word(#second / 2) .. padded(second)
    assert.equal(VERIFY_BULK .. word(64) .. word(64 + #list / 2) .. list .. word(0), asked[2].params[1].data)
    local ok, err = chain:verify_bulk { other, report }
    assert.is_nil(ok)
    assert.equal("BlobMismatch", err.reason)
  end)

  it("names the first one that is refused", function()
    local chain = with { eth_call = function(params)
      local data = params[1].data
      if data:sub(1, 10) == VERIFY and data:find(blob, 1, true) then return node.bytes(blob) end
      return nil, '{"code":3,"message":"execution reverted","data":"0x4df18f07"}'
    end }
    local ok, err = chain:verify_bulk { report, other }
    assert.is_nil(ok)
    assert.equal("BadVerification", err.reason)
    assert.equal(2, err.index)
  end)
end)

describe("onchain:verify_bulk of no report", function()
  it("asks nothing", function()
    local chain, asked = calling(node.bytes(blob))
    assert.is_true(chain:verify_bulk {})
    assert.same({}, asked)
  end)
end)

describe("a proxy with view functions", function()
  it("is asked by them, for one report and for many", function()
    local chain, asked = viewing(node.bytes(blob))
    for _ = 1, 2 do assert.is_true(chain:verify(report)) end
    local payload = report.full_report:sub(3)
    local one = VERIFY_VIEW .. word(32) .. word(#payload / 2) .. padded(payload)
    local data = {}
    for i, question in ipairs(asked) do data[i] = question.params[1].data end
    assert.same({ VERIFY_BULK_VIEW .. NOTHING, one, one }, data)

    chain, asked = viewing(('"0x%s%s%s%s%s"'):format(word(32), word(1), word(32), word(#blob / 2), blob))
    for _ = 1, 2 do assert.is_true(chain:verify_bulk { report }) end
    assert.equal(3, #asked)
    assert.equal(VERIFY_BULK_VIEW .. word(32) .. word(1) .. word(32) .. word(#payload / 2) .. padded(payload),
      asked[3].params[1].data)
  end)

  it("gives its reasons", function()
    local chain = viewing(nil, '{"code":3,"message":"execution reverted","data":"0x4df18f07"}')
    local ok, err = chain:verify_bulk { report, other }
    assert.is_nil(ok)
    assert.same({ "VerificationError", "BadVerification", 1 }, { err.kind, err.reason, err.index })
    ok, err = viewing(node.bytes(other.report_blob:sub(3))):verify(report)
    assert.is_nil(ok)
    assert.equal("BlobMismatch", err.reason)
  end)

  -- What the question whether it has them is answered; then everything is as `after` says.
  local function first_answer(result, err, after)
    local first = true
    return with { eth_call = function(params)
      if not first or params[1].data ~= VERIFY_BULK_VIEW .. NOTHING then return after(params[1].data:sub(1, 10)) end
      first = false
      return result, err
    end }
  end

  local function view_only(selector)
    if selector == VERIFY_VIEW then return node.bytes(blob) end
    return nil, NO_FUNCTION
  end

  it("is known by its access controller too", function()
    local forbidden = '{"code":3,"message":"execution reverted","data":"0xef67f5d8"}'
    assert.is_true(first_answer(nil, forbidden, view_only):verify(report))
  end)

  it("is asked as an old one where another contract's answer comes, and not asked again", function()
    local chain, asked = first_answer(node.bytes "00", nil, function(selector)
      if selector == VERIFY then return node.bytes(blob) end
      return nil, NO_FUNCTION
    end)
    for _ = 1, 2 do assert.is_true(chain:verify(report)) end
    assert.equal(3, #asked)
  end)

  it("is asked again whether it has them after an error of the node, as an old one meanwhile", function()
    local busy = '{"code":-32005,"message":"daily limit"}'
    local chain, asked = first_answer(nil, busy, function(selector)
      if selector == VERIFY_BULK_VIEW then return '"0x' .. NOTHING .. '"' end
      return node.bytes(blob)
    end)
    for _ = 1, 3 do assert.is_true(chain:verify(report)) end
    local selectors = {}
    for i, question in ipairs(asked) do selectors[i] = question.params[1].data:sub(1, 10) end
    assert.same({ VERIFY_BULK_VIEW, VERIFY, VERIFY_BULK_VIEW, VERIFY_VIEW, VERIFY_VIEW }, selectors)
  end)

  it("that cannot be reached is not known to lack them", function()
    local failure = require("chainlink.errors").new("NetworkError", "no route")
    local post, asked = node.new { eth_call = function(params)
      if params[1].data == VERIFY_BULK_VIEW .. NOTHING then return '"0x' .. NOTHING .. '"' end
      return view_only(params[1].data:sub(1, 10))
    end }
    local down = true
    local chain = onchain.new({ verifier_proxy = PROXY }, function(body)
      if down then return nil, failure end
      return post(body)
    end)
    for _, method in ipairs { "verify", "verify_bulk" } do
      local ok, err = chain[method](chain, method == "verify" and report or { report })
      assert.is_nil(ok)
      assert.equal(failure, err)
    end
    down = false
    assert.is_true(chain:verify(report))
    assert.equal(2, #asked)
  end)
end)

-- ---- signers ----

local function addresses(from, count)
  local out = {}
  for i = 1, count do out[i] = "0x" .. ("%02x"):format(from + i):rep(20) end
  return out
end

local signers, newer = addresses(0, 4), addresses(16, 7)

-- A chain: its last block, events {block, JSON}, most blocks in one question, what the probe answers, and the block
-- that the contract names.
local function post_of(options)
  return node.new {
    eth_blockNumber = function() return ('"0x%x"'):format(options.last) end,
    eth_call = function(params)
      local selector = params[1].data:sub(1, 10)
      if selector == "0xeeb7b248" then return node.address(VERIFIER) end
      if selector == "0xe84f128e" then return ('"0x%s"'):format(word(options.named or 0)) end
      assert.equal("0x3d3ac1b5", selector)
      assert.equal(PROXY, params[1].from)
      return nil, ('{"code":3,"message":"execution reverted","data":"0x%s"}'):format(options.probe or "")
    end,
    eth_getLogs = function(params)
      local low, high = tonumber(params[1].fromBlock), tonumber(params[1].toBlock)
      assert.is_true(low <= high)
      if high - low + 1 > (options.most or math.huge) then
        return nil, '{"code":-32005,"message":"query exceeds max block range"}'
      end
      local found = {}
      for _, event in ipairs(options.events) do
        if event[1] >= low and event[1] <= high then found[#found + 1] = event[2] end
      end
      return "[" .. table.concat(found, ",") .. "]"
    end,
  }
end

local function chain_of(options)
  local post = post_of(options)
  local questions = { logs = 0 }
  return onchain.new({ verifier_proxy = PROXY }, function(body)
    if body:find("eth_getLogs", 1, true) then questions.logs = questions.logs + 1 end
    return post(body)
  end), questions
end

local function set_at(block, who, f) return { block, node.config_set(VERIFIER, DIGEST, who, f, block) } end
local function updated_at(block, who) return { block, node.config_updated(VERIFIER, DIGEST, signers, who, block) } end

describe("onchain:signers", function()
  local f1 = "5348a282" .. word(0) .. word(2)
  local f2 = "5348a282" .. word(0) .. word(3)

  it("reads the event of the block that the contract names", function()
    local events = { set_at(77, signers, 1) }
    local chain, questions = chain_of { last = 5000000, most = 1, named = 77, events = events, probe = f1 }
    assert.same({ signers = signers, f = 1, active = true }, chain:signers(DIGEST))
    assert.equal(1, questions.logs)
  end)

  it("walks back, in ranges that the node takes", function()
    local events = { set_at(4321, signers, 1) }
    local chain, questions = chain_of { last = 9999, most = 1000, named = 123456, events = events }
    assert.same({ signers = signers, f = 1, active = true }, chain:signers(DIGEST))
    assert.is_true(questions.logs < 20, questions.logs .. " questions")
  end)

  it("asks for both events of the digest at the verifier", function()
    local post, asked = post_of { last = 20, events = { set_at(10, signers, 1) } }
    assert.truthy(onchain.new({ verifier_proxy = PROXY }, post):signers(DIGEST))
    assert.equal("eth_getLogs", asked[#asked].method)
    assert.same({ address = VERIFIER, topics = { { CONFIG_SET, CONFIG_UPDATED }, DIGEST }, fromBlock = "0x0",
      toBlock = "0x14" }, asked[#asked].params[1])
  end)

  it("reads the event of the very first block that a contract can name", function()
    local chain, questions = chain_of { last = 5000000, most = 1, named = 1, events = { set_at(1, signers, 1) } }
    assert.same({ signers = signers, f = 1, active = true }, chain:signers(DIGEST))
    assert.equal(1, questions.logs)
  end)

  it("walks back block by block, to the last one of a range", function()
    local chain, questions = chain_of { last = 1, most = 1, events = { set_at(0, signers, 1) } }
    assert.same({ signers = signers, f = 1, active = true }, chain:signers(DIGEST))
    assert.equal(3, questions.logs)
  end)

  it("takes f from the event before, where the newest has none", function()
    local chain = chain_of { last = 1000, events = { set_at(700, signers, 1), updated_at(800, newer) } }
    assert.same({ signers = newer, f = 1, active = true }, chain:signers(DIGEST))
  end)

  it("goes by the events where the verifier counts other signatures than none, or wants none", function()
    for _, probe in ipairs { "5348a282" .. word(1) .. word(3), "5348a282" .. word(0) .. word(1),
      "f0d31408" .. word(3) .. word(0) } do
      local chain = chain_of { last = 20, events = { set_at(10, signers, 1) }, probe = probe }
      assert.same({ signers = signers, f = 1, active = true }, chain:signers(DIGEST))
    end
  end)

  it("does not ask for fewer blocks where the node cannot be reached", function()
    local post, asked = post_of { last = 1000, events = {} }
    local failure = require("chainlink.errors").new("NetworkError", "no route")
    local refused = 0
    local set, err = onchain.new({ verifier_proxy = PROXY }, function(body)
      if not body:find("eth_getLogs", 1, true) then return post(body) end
      refused = refused + 1
      return nil, failure
    end):signers(DIGEST)
    assert.is_nil(set)
    assert.equal(failure, err)
    assert.equal(1, refused)
    assert.is_true(#asked > 0)
  end)

  it("takes the newest event, and f from the contract", function()
    local events = { updated_at(800, newer), set_at(10, signers, 1) }
    local chain = chain_of { last = 1000, events = events, probe = f2 }
    assert.same({ signers = newer, f = 2, active = true }, chain:signers(DIGEST))
    chain = chain_of { last = 1000, events = { updated_at(800, addresses(32, 4)) }, probe = f1 }
    assert.same({ signers = addresses(32, 4), f = 1, active = true }, chain:signers(DIGEST))
    chain = chain_of { last = 1000, most = 100, events = events, probe = f2 }
    assert.same({ signers = newer, f = 2, active = true }, chain:signers(DIGEST))
  end)

  it("asks the verifier about a report that has nothing but the digest", function()
    local post, asked = post_of { last = 1000, events = { set_at(10, signers, 1) }, probe = f1 }
    assert.truthy(onchain.new({ verifier_proxy = PROXY }, post):signers(DIGEST))
    local empty = DIGEST:sub(3) .. word(0):rep(2) .. word(7 * 32) .. word(8 * 32) .. word(9 * 32) .. word(0):rep(4)
    local expected = "0x3d3ac1b5" .. word(64) .. word(0) .. word(10 * 32) .. empty
    local seen = 0
    for _, question in ipairs(asked) do
      local data = question.method == "eth_call" and question.params[1].data or ""
      if data:sub(1, 10) == "0x3d3ac1b5" then
        seen = seen + 1
        assert.equal(expected, data)
      end
    end
    assert.equal(1, seen)
  end)

  it("goes by the events when the verifier tells nothing of f", function()
    for _, answer in ipairs { '"0x"', false } do
      local post = node.new {
        eth_blockNumber = function() return '"0x14"' end,
        eth_getLogs = function() return "[" .. set_at(10, signers, 1)[2] .. "]" end,
        eth_call = function(params)
          local selector = params[1].data:sub(1, 10)
          if selector == "0xeeb7b248" then return node.address(VERIFIER) end
          if selector == "0xe84f128e" then return nil, '{"code":-32000,"message":"busy"}' end
          return answer, '{"code":-32000,"message":"busy"}'
        end,
      }
      assert.same({ signers = signers, f = 1, active = true }, onchain.new({ verifier_proxy = PROXY }, post):signers(
        DIGEST))
    end
  end)

  it("knows a deactivated configuration", function()
    local events = { set_at(10, signers, 1) }
    local chain = chain_of { last = 20, events = events, probe = "d990d621" .. DIGEST:sub(3) }
    local set = chain:signers(DIGEST)
    assert.same({ signers = signers, f = 1, active = false }, set)
    assert.is_truthy(chainlink.signers { [DIGEST] = set })
  end)

  it("says when there is no event", function()
    local set, err = chain_of { last = 1000, events = {} }:signers(DIGEST)
    assert.is_nil(set)
    assert.equal("ConfigNotFound", err.reason)
    assert.equal("VerificationError", err.kind)
    assert.equal("ConfigNotFound: no event tells the signers of the config digest", err.message)
  end)

  it("gives up on a node that allows hardly any blocks", function()
    local chain, questions = chain_of { last = 10 ^ 9, most = 2, events = {} }
    local set, err = chain:signers(DIGEST)
    assert.is_nil(set)
    assert.matches("from_block", err.message)
    assert.equal(1000, questions.logs)
  end)

  it("says when the node refuses even one block", function()
    local set, err = chain_of { last = 100000, most = 0, events = {} }:signers(DIGEST)
    assert.is_nil(set)
    assert.equal("APIError", err.kind)
    assert.matches("max block range", err.message)
  end)

  it("says when the proxy does not know the digest", function()
    local set, err = calling(node.address("0x" .. ("0"):rep(40))):signers(DIGEST)
    assert.is_nil(set)
    assert.same({ "VerificationError", "VerifierNotFound", DIGEST,
      "VerifierNotFound: the proxy has no verifier for the config digest: " .. DIGEST },
      { err.kind, err.reason, err.config_digest, err.message })
  end)

  it("says when the proxy names no verifier", function()
    for _, answer in ipairs { word(1) .. word(1), ("f"):rep(64), "00" } do
      local set, err = with { eth_call = function() return '"0x' .. answer .. '"' end }:signers(DIGEST)
      assert.is_nil(set)
      assert.same({ "DecodeError", "eth_call: getVerifier answered no address", "an address" },
        { err.kind, err.message, err.expected })
    end
  end)

  it("believes no configuration that the contract does not allow, nor a foreign event", function()
    local foreign = "0x" .. ("0b"):rep(32)
    for _, event in ipairs { set_at(5, signers, 2), set_at(5, addresses(0, 32), 1), set_at(5, signers, 0),
      set_at(5, addresses(0, 3), 1), set_at(5, addresses(0, 30), 10),
      { 5, node.config_set(PROXY, DIGEST, signers, 1, 5) },
      { 5, node.config_set(VERIFIER, foreign, signers, 1, 5) },
      { 5, node.config_updated(PROXY, DIGEST, signers, newer, 5) },
      { 5, node.config_updated(VERIFIER, foreign, signers, newer, 5) } } do
      local set, err = chain_of { last = 20, events = { event } }:signers(DIGEST)
      assert.is_nil(set)
      assert.equal("DecodeError", err.kind)
    end
    local _, err = chain_of { last = 20, events = { set_at(5, signers, 0) } }:signers(DIGEST)
    assert.equal("eth_getLogs: a configuration that the contract does not allow", err.message)
    assert.equal("1 <= f, n > 3f, n <= 31", err.expected)
  end)

  it("wants a list of events, and a block's number", function()
    for _, answer in ipairs { '"0x"', '{"a":1}' } do
      local chain = with { eth_blockNumber = function() return '"0x14"' end, eth_getLogs = function() return answer end,
        eth_call = function() return node.address(VERIFIER) end }
      local set, err = chain:signers(DIGEST)
      assert.is_nil(set)
      assert.same({ "eth_getLogs: the answer is no list", "an array of events" }, { err.message, err.expected })
    end
    local chain = with { eth_blockNumber = function() return '"latest"' end,
      eth_call = function() return node.address(VERIFIER) end, eth_getLogs = function() return "[]" end }
    local set, err = chain:signers(DIGEST)
    assert.is_nil(set)
    assert.same({ "eth_blockNumber: no block number", "a quantity" }, { err.message, err.expected })
  end)

  it("tells which event it does not believe", function()
    local event = { 5, node.config_set(PROXY, DIGEST, signers, 1, 5) }
    local _, err = chain_of { last = 20, events = { event } }:signers(DIGEST)
    assert.equal("eth_getLogs: an event that was not asked for", err.message)
    assert.equal("events of the digest", err.expected)
  end)

  -- An event of block 5 with its JSON changed.
  local function changed(event, pattern, new)
    local text, count = event[2]:gsub(pattern, new)
    assert.equal(1, count)
    return { 5, text }
  end

  local set, updated = set_at(5, signers, 1), updated_at(5, newer)
  local malformed = {
    ["another offset"] = changed(set, '"0x' .. word(64), '"0x' .. word(96)),
    ["an f that is no uint8"] = changed(set, word(1) .. word(4), word(256) .. word(4)),
    ["more signers than words"] = changed(set, word(1) .. word(4), word(1) .. word(5)),
    ["fewer signers than words"] = changed(set, word(1) .. word(4), word(1) .. word(3)),
    ["a count beyond all numbers"] = changed(set, word(1) .. word(4), word(1) .. ("f"):rep(64)),
    ["a signer longer than an address"] = changed(set, ("0"):rep(24) .. ("01"):rep(20), "01" .. ("0"):rep(22)
      .. ("01"):rep(20)),
    ["half a byte more"] = changed(set, '",%"blockNumber', '0","blockNumber'),
    ["half a word more"] = changed(set, '",%"blockNumber', ("0"):rep(32) .. '","blockNumber'),
    ["a word more"] = changed(set, '",%"blockNumber', ("0"):rep(64) .. '","blockNumber'),
    ["a word less"] = changed(set, ("04"):rep(20) .. '"', '"'),
    ["an update with another offset"] = changed(updated, word(64) .. word(224), word(96) .. word(224)),
    ["an update whose second list is elsewhere"] = changed(updated, word(224), word(256)),
    ["an update with a word more"] = changed(updated, '",%"blockNumber', ("0"):rep(64) .. '","blockNumber'),
    ["no data"] = changed(set, '"data":"[^"]*"', '"data":null'),
    ["a block that is no quantity"] = changed(set, '"blockNumber":"0x5"', '"blockNumber":5'),
    ["no index"] = changed(set, '"logIndex":"0x0"', '"logIndex":"0x"'),
    ["another topic"] = changed(updated, '"topics":%["0x%x%x', '"topics":["0xff'),
    ["no topics"] = changed(set, '"topics":%b[]', '"topics":null'),
    ["no address"] = changed(set, '"address":"[^"]*"', '"address":null'),
  }
  local no_number = { "a malformed event", "blockNumber, logIndex and data" }
  local not_asked_for = { "an event that was not asked for", "events of the digest" }
  local told = { ["no data"] = no_number, ["half a byte more"] = no_number, ["no index"] = no_number,
    ["a block that is no quantity"] = no_number, ["no topics"] = { "a malformed event", "an event" },
    ["another topic"] = not_asked_for, ["no address"] = not_asked_for }
  for name, event in pairs(malformed) do
    it("refuses an event with " .. name, function()
      local found, err = chain_of { last = 20, events = { event } }:signers(DIGEST)
      assert.is_nil(found)
      assert.equal("DecodeError", err.kind)
      local words = told[name] or { "an event whose data is malformed", "addresses" }
      assert.same({ "eth_getLogs: " .. words[1], words[2] }, { err.message, err.expected })
    end)
  end

  it("reads an event in capitals as the same", function()
    local upper = changed(set, '"data":"0x[^"]*"', function(data) return '"data":"0x' .. data:sub(11):upper() end)
    assert.same({ signers = signers, f = 1, active = true }, chain_of { last = 20, events = { upper } }:signers(DIGEST))
  end)

  it("takes the later of two events of a block", function()
    local later = changed(set_at(5, newer, 2), '"logIndex":"0x0"', '"logIndex":"0x1"')
    for _, events in ipairs { { set, later }, { later, set } } do
      assert.same({ signers = newer, f = 2, active = true }, chain_of { last = 20, events = events }:signers(DIGEST))
    end
  end)

  it("knows blocks up to 48 bits, and no further", function()
    local last = 2 ^ 48 - 1
    local far = { last, node.config_set(VERIFIER, DIGEST, signers, 1, 0xffffffffffff) }
    local chain, questions = chain_of { last = 0xffffffffffff, named = 0xffffffffffff, events = { far } }
    assert.same({ signers = signers, f = 1, active = true }, chain:signers(DIGEST))
    assert.equal(1, questions.logs)
    local found, err = chain_of { last = 0x1000000000000, named = 0x1000000000000, events = {} }:signers(DIGEST)
    assert.is_nil(found)
    assert.equal("DecodeError", err.kind)
  end)

  it("begins at from_block", function()
    local post, asked = post_of { last = 20, events = { set }, probe = f1 }
    local function ask(from_block)
      return onchain.new({ verifier_proxy = PROXY, from_block = from_block }, post):signers(DIGEST)
    end
    assert.equal("ConfigNotFound", select(2, ask(6)).reason)
    assert.same(signers, ask(5).signers)
    assert.equal("0x5", asked[#asked].params[1].fromBlock)
    assert.equal("0x14", asked[#asked].params[1].toBlock)
  end)

  it("takes the largest that the contract allows, from the very first block and the last", function()
    local largest = addresses(0, 31)
    for _, block in ipairs { 0, 20 } do
      local chain = chain_of { last = 20, most = 3, events = { set_at(block, largest, 10) } }
      assert.same({ signers = largest, f = 10, active = true }, chain:signers(DIGEST))
    end
  end)
end)

it("a configuration's f has 8 bits", function()
  local abi = require "chainlink.onchain.abi"
  local one = ("0"):rep(24) .. ("01"):rep(20)
  local function set(f) return abi.config_set(word(64) .. f .. word(1) .. one) end
  assert.same({ { "0x" .. ("01"):rep(20) }, 255 }, { set(word(255)) })
  assert.is_nil(set(word(256)))
  assert.is_nil(set(("f"):rep(64)))
end)

it("a number of the chain has 48 bits at most", function()
  local abi = require "chainlink.onchain.abi"
  assert.equal(2 ^ 48 - 1, abi.number(("0"):rep(52) .. ("f"):rep(12)))
  assert.is_nil(abi.number(("0"):rep(51) .. "1" .. ("0"):rep(12)))
end)

-- ---- hostile answers ----

local function assert_failed(value, err)
  assert.is_nil(value)
  assert.is_true(chainlink.is_error(err), tostring(err))
end

describe("an answer", function()
  local good = node.bytes(blob)
  for _, body in ipairs { "", "{", "null", "[]", "{}", "12", '"0x"', "[[[[[[[[[[[[[[[[[[[[", '{"id":1}',
    '{"id":1,"result":null}',
    '{"id":1,"result":12}', '{"id":1,"result":"12"}', '{"id":1,"result":"0x1"}', '{"id":1,"result":"0xzz"}',
    '{"id":1,"result":[]}', '{"id":1,"error":"no"}', '{"id":1,"error":{}}',
    '{"id":1,"error":{"code":"x","message":7}}',
    '{"id":1,"error":{"data":[[[[[["0x4df18f07"]]]]]]}}', '{"id":2,"result":' .. good .. "}",
    '{"result":' .. good .. "}",
    '{"id":"1","result":' .. good .. "}" } do
    it("that is wrong is an error: " .. body:sub(1, 50), function()
      assert_failed(raw(body):verify(report))
      assert_failed(raw(body):verify_bulk { report })
      assert_failed(raw(body):signers(DIGEST))
    end)
  end

  it("may be 16 tables deep, and no deeper", function()
    local function nested(depth)
      local answer = '{"id":1,"result":' .. ("["):rep(depth - 1) .. ("]"):rep(depth - 1) .. "}"
      return select(2, raw(answer):verify(report)).message
    end
    assert.equal("eth_call: the result is not hex text", nested(16))
    assert.equal("eth_call: the answer is not JSON", nested(17))
  end)

  local words = {
    ["{"] = { "eth_call: the answer is not JSON", "a JSON object" },
    ['{"id":1,"error":"no"}'] = { "eth_call: a malformed error", "an object" },
    ['{"id":2,"result":"0x"}'] = { "eth_call: the answer to another question", "id 1" },
    ['{"id":1,"result":null}'] = { "eth_call: an answer without a result", "a result" },
    ['{"id":1,"result":7}'] = { "eth_call: the result is not hex text", "0x and hex digits" },
    ['{"id":1,"error":{"code":-5,"message":"busy"}}'] = { "eth_call: the node answered error -5: busy" },
    ['{"id":1,"error":{"code":1.5}}'] = { "eth_call: the node answered error ?: " },
  }
  for body, told in pairs(words) do
    it("that is wrong is told in words: " .. told[1], function()
      local ok, err = raw(body):verify(report)
      assert.is_nil(ok)
      assert.same(told, { err.message, err.expected })
    end)
  end

  it("is asked for under a number of its own", function()
    local chain, asked = calling(node.bytes(blob))
    for _ = 1, 2 do assert.is_true(chain:verify(report)) end
    assert.same({ 1, 2, 3 }, { asked[1].id, asked[2].id, asked[3].id })
    assert.equal("2.0", asked[1].jsonrpc)
  end)

  -- Mutates JSON text: bytes changed, cut, doubled, or pieces moved.
  local pieces = { "null", "0x", "[", "]", "{", "}", '"', ",", "-1", "1e999", '"0x1"', "true", "\0", "\\u0000", "0" }
  local function mutate(text)
    local at = math.random(#text)
    local choice = math.random(6)
    local far = math.min(#text, at + math.random(80))
    if choice == 1 then return text:sub(1, at - 1) .. string.char(math.random(0, 255)) .. text:sub(at + 1) end
    if choice == 2 then return text:sub(1, at) end
    if choice == 3 then return text:sub(1, at) .. text:sub(far) end
    if choice == 4 then return text:sub(1, far) .. text:sub(at) end
    if choice == 5 then return text:sub(1, at - 1) .. pieces[math.random(#pieces)] .. text:sub(at) end
    return text:sub(1, at - 1) .. pieces[math.random(#pieces)] .. text:sub(far)
  end

  local function mutated(post, is_good)
    return function(body)
      local answer = post(body)
      if is_good() then return answer end
      for _ = 1, math.random(2) do answer = mutate(answer) end
      return answer
    end
  end

  local function seldom() return math.random(3) == 1 end
  local function mostly() return math.random(5) > 1 end

  it("that was mutated never makes a report verified that was not, nor a crash", function()
    math.randomseed(20240817)
    local verified, refused = 0, 0
    for i = 1, 6000 do
      local answers = { node.bytes(blob), node.bytes(other.report_blob:sub(3)) }
      local revert = '{"code":3,"message":"execution reverted","data":"0x5348a282' .. word(3) .. word(2) .. '"}'
      local post = node.new { eth_call = function(params)
        local asks_for_views = params[1].data == VERIFY_BULK_VIEW .. NOTHING
        if asks_for_views and i % 2 == 0 then return '"0x' .. NOTHING .. '"' end
        return answers[i % 3 + 1], revert
      end }
      local ok, err = onchain.new({ verifier_proxy = PROXY }, mutated(post, seldom)):verify(report)
      if ok then
        assert.equal(0, i % 3, "another blob was accepted")
        verified = verified + 1
      else
        assert_failed(ok, err)
        refused = refused + 1
      end
    end
    assert.is_true(verified > 200 and refused > 2000, verified .. " verified, " .. refused .. " refused")
  end)

  it("that was mutated gives a whole signer set or an error", function()
    math.randomseed(20240818)
    local found, failed = 0, 0
    for _ = 1, 1000 do
      local good_chain = { last = 64, events = { set_at(5, signers, 1) }, most = 16,
        probe = "5348a282" .. word(0) .. word(2) }
      local post = mutated(post_of(good_chain), mostly)
      local set, err = onchain.new({ verifier_proxy = PROXY }, post):signers(DIGEST)
      if set then
        assert.is_truthy(chainlink.signers { [DIGEST] = set })
        found = found + 1
      else
        assert_failed(set, err)
        failed = failed + 1
      end
    end
    assert.is_true(found > 50 and failed > 500, found .. " found, " .. failed .. " failed")
  end)
end)

-- ---- options ----

describe("the options", function()
  local function refused(options, pattern)
    local ok, err = pcall(chainlink.onchain, options)
    assert.is_false(ok)
    assert.equal("ConfigError", err.kind)
    assert.matches(pattern, err.message)
  end
  local url = "http://127.0.0.1:1"

  it("are checked", function()
    refused(nil, "options must be a table")
    refused({ rpc_url = url }, "'verifier_proxy' or 'network' is required")
    refused({ rpc_url = url, network = "arbitrum", verifier_proxy = PROXY }, "not both")
    refused({ rpc_url = url, network = "arbitrun" }, 'no network is named "arbitrun"')
    refused({ rpc_url = url, verifier_proxy = "0x12" }, "'verifier_proxy' must be an address")
    refused({ network = "arbitrum" }, "'rpc_url' must be a URL that starts with https://, got nil$")
    refused({ network = "arbitrum", rpc_url = "secret" }, "that starts with https://, got a string$")
    refused({ network = "arbitrum", rpc_url = "ws://127.0.0.1" }, "'rpc_url' must be a URL")
    refused({ network = "arbitrum", rpc_url = url .. "/?key=secret" }, "rpc_url: the URL has a query")
    refused({ network = "arbitrum", rpc_url = url, from_block = -1 }, "'from_block' must be a block's number")
    refused({ network = "arbitrum", rpc_url = url, from_block = 2 ^ 48 }, "'from_block' must be a block's number")
    for _, block in ipairs { 0, 2 ^ 48 - 1 } do
      chainlink.onchain({ verifier_proxy = PROXY, rpc_url = url, from = VERIFIER, from_block = block }):close()
    end
    refused({ network = "arbitrum", rpc_url = url, from_block = 1.5 }, "'from_block' must be a block's number, got 1.5")
    refused({ network = "arbitrum", rpc_url = url, from = 12 }, "'from' must be an address")
    refused({ network = "arbitrum", rpc_url = url, api_key = "x" }, 'there is no option "api_key"')
    refused({ network = "arbitrum", rpc_url = url, timeout = -1 }, "'timeout' must be")
  end)

  it("never show the URL, whose path may be an access key", function()
    local chain = chainlink.onchain { network = "arbitrum", rpc_url = url .. "/v3/secretkey", max_retries = 0 }
    local ok, err = chain:verify(report)
    assert.is_nil(ok)
    assert.equal("NetworkError", err.kind)
    assert.is_nil((tostring(err) .. tostring(chain)):find("secretkey", 1, true))
    chain:close()
    chain:close()
    ok, err = chain:verify(report)
    assert.is_nil(ok)
    assert.equal("StreamClosedError", err.kind)
  end)

  it("wrong arguments raise", function()
    local chain = calling(node.bytes(blob))
    local function told(method, self, ...)
      local ok, err = pcall(chain[method], self, ...)
      assert.is_false(ok)
      assert.is_true(chainlink.is_error(err, "ConfigError"), tostring(err))
      return err.message
    end
    for value, words in pairs { ["0x12"] = '"0x12" (a string)', [12] = "12", [true] = "true", [{}] = "a table",
      [io.stdout] = "a userdata" } do
      assert.equal("report must be a report, got " .. words, told("verify", chain, value))
      assert.equal("reports[1] must be a report, got " .. words, told("verify_bulk", chain, { value }))
      assert.equal("config_digest must be a text of 0x and 64 hex digits, got " .. words,
        told("signers", chain, value))
    end
    assert.equal("reports must be an array of reports, got a userdata", told("verify_bulk", chain, report))
    for _, method in ipairs { "verify", "verify_bulk", "signers", "close" } do
      local right = ({ verify = report, verify_bulk = { report }, signers = DIGEST })[method]
      assert.equal(method .. ": called on a table; write onchain:" .. method .. "(...) with a colon",
        told(method, { call = chain.call, verifier_proxy = PROXY }, right))
    end
    assert.equal("verify: called on a userdata; write onchain:verify(...) with a colon", told("verify", report))
  end)
end)

describe("the networks", function()
  it("are listed in the documentation", function()
    local text = project.read "docs/onchain.md"
    for name, network in pairs(chainlink.onchain.networks) do
      local row = ("\n| `%s` | %s | `%s` |\n"):format(name, network.label, network.verifier_proxy)
      assert.is_truthy(text:find(row, 1, true), name)
    end
  end)

  it("are names with an address", function()
    local count = 0
    for name, network in pairs(chainlink.onchain.networks) do
      assert.matches("^[%l%d][%l%d-]*$", name)
      assert.matches("^0x%x+$", network.verifier_proxy)
      assert.equal(42, #network.verifier_proxy)
      assert.equal(network.verifier_proxy:lower(), network.verifier_proxy)
      count = count + 1
    end
    assert.equal(99, count)
    assert.equal("0x478aa2ac9f6d65f84e09d9185d126c3a17c2a93c", chainlink.onchain.networks.arbitrum.verifier_proxy)
    assert.equal("0x2ff010debc1297f19579b4246cad07bd24f2488a",
      chainlink.onchain.networks["arbitrum-sepolia"].verifier_proxy)
  end)
end)
