-- SPDX-License-Identifier: MIT
-- Who signs for a config digest: read from the verifier contract's events.

local abi = require "chainlink.onchain.abi"
local errors = require "chainlink.errors"
local rpc = require "chainlink.onchain.rpc"

local configuration = {}

local VERIFY = "0x3d3ac1b5" -- verify(bytes,address), of the verifier itself
local LATEST_CONFIG_DETAILS = "0xe84f128e" -- latestConfigDetails(bytes32)
local CONFIG_SET = "0x5b1f376eb2bda670fa39339616d0a73f45b61bec8faeba8ca834f2ebb49676e0"
local CONFIG_UPDATED = "0xb0b75a854fab801413da6202fc07e875c54eaf371a1e3909fb2645364ba58616"
local MOST_REQUESTS = 1000

local function fail(what, expected)
  return nil, rpc.decode_error("eth_getLogs", what, expected)
end

-- ---- events ----

-- -> {block=, index=, signers=, f= or nil} | nil, err
local function read_log(log, verifier, digest)
  if type(log) ~= "table" or type(log.topics) ~= "table" then return fail("a malformed event", "an event") end
  local block, index, data = rpc.quantity(log.blockNumber), rpc.quantity(log.logIndex), rpc.data(log.data)
  if not (block and index and data) then return fail("a malformed event", "blockNumber, logIndex and data") end
  local asked = type(log.address) == "string" and log.address:lower() == verifier
    and log.topics[2] == "0x" .. digest
  local event = { block = block, index = index }
  if asked and log.topics[1] == CONFIG_SET then event.signers, event.f = abi.config_set(data)
  elseif asked and log.topics[1] == CONFIG_UPDATED then event.signers = abi.config_updated(data)
  else return fail("an event that was not asked for", "events of the digest") end
  if not event.signers then return fail("an event whose data is malformed", "addresses") end
  return event
end

local function is_earlier(a, b)
  return a.block < b.block or (a.block == b.block and a.index < b.index)
end

-- The events of the digest in these blocks, ascending. -> array | nil, err
local function get_events(context, low, high)
  local params = ('[{"address":"%s","topics":[["%s","%s"],"0x%s"],"fromBlock":"0x%x","toBlock":"0x%x"}]'):format(
    context.verifier, CONFIG_SET, CONFIG_UPDATED, context.digest, low, high)
  local logs, err = context.call("eth_getLogs", params)
  if logs == nil then return nil, err end
  if type(logs) ~= "table" then return fail("the answer is no list", "an array of events") end
  local events = {}
  for i = 1, #logs do
    local event
    event, err = read_log(logs[i], context.verifier, context.digest)
    if not event then return nil, err end
    events[i] = event
  end
  if next(logs) ~= nil and #logs == 0 then return fail("the answer is no list", "an array of events") end
  table.sort(events, is_earlier)
  return events
end

-- Takes what the events tell that later ones have not; true when nothing is missing.
local function take(found, events)
  for i = #events, 1, -1 do
    found.signers = found.signers or events[i].signers
    found.f = found.f or events[i].f
  end
  return found.signers ~= nil and found.f ~= nil
end

-- A node that refuses a range may take a smaller one.
local function may_be_range(err)
  return err.kind == "APIError" or err.kind == "TimeoutError"
end

-- Walks back from the newest block, in ranges that are halved whenever the node refuses one.
local function scan(context, found, from, latest)
  local high, span = latest, latest - from + 1
  for _ = 1, MOST_REQUESTS do
    if high < from then return true end
    local low = math.max(from, high - span + 1)
    local events, err = get_events(context, low, high)
    if events then
      if take(found, events) then return true end
      high = low - 1
    elseif span > 1 and may_be_range(err) then
      span = math.ceil(span / 2)
    else
      return nil, err
    end
  end
  return nil, errors.new("APIError", ("eth_getLogs: not found in %d questions, the node allows too few blocks in one; "
    .. "give from_block"):format(MOST_REQUESTS))
end

-- The block that the contract names; nil when it does not help: some chains count blocks differently within contracts.
local function named_block(context)
  local result = context.call("eth_call", ('[{"to":"%s","data":"%s%s"},"latest"]'):format(
    context.verifier, LATEST_CONFIG_DETAILS, context.digest))
  local block = abi.number(rpc.data(result))
  return block and block > 0 and block or nil
end

-- Asks the verifier, in its proxy's name, about a report without signatures: the refusal tells f, or that the
-- configuration is not active.
local function probe(context, proxy, found)
  local data = VERIFY .. abi.bytes_and_nobody(abi.empty_report(context.digest))
  local result, err = context.call("eth_call", ('[{"from":"%s","to":"%s","data":"%s"},"latest"]'):format(
    proxy, context.verifier, data))
  if result ~= nil or err.kind ~= "VerificationError" then return end
  if err.reason == "DigestInactive" then found.active = false end
  if err.reason == "IncorrectSignatureCount" and err.got == 0 and err.expected > 1 then found.f = err.expected - 1 end
end

local function check(found)
  if not found.signers or not found.f then
    return nil, errors.new("VerificationError", "ConfigNotFound: no event tells the signers of the config digest",
      { reason = "ConfigNotFound" })
  end
  if found.f < 1 or #found.signers > 31 or #found.signers <= 3 * found.f then
    return fail("a configuration that the contract does not allow", "1 <= f, n > 3f, n <= 31")
  end
  return found
end

--- {signers=, f=, active=} of a digest (64 hex digits) at a verifier of this proxy. -> table | nil, err
function configuration.read(call, proxy, verifier, digest, from_block)
  local context = { call = call, verifier = verifier, digest = digest }
  local found = { active = true }
  probe(context, proxy, found)
  local block = named_block(context)
  local events = block and get_events(context, block, block)
  if events and take(found, events) then return check(found) end
  local latest, err = call("eth_blockNumber", "[]")
  if latest == nil then return nil, err end
  local number = rpc.quantity(latest)
  if not number then return nil, rpc.decode_error("eth_blockNumber", "no block number", "a quantity") end
  local ok
  ok, err = scan(context, found, math.min(from_block, number), number)
  if not ok then return nil, err end
  return check(found)
end

return configuration
