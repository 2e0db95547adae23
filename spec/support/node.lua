-- SPDX-License-Identifier: MIT
-- An Ethereum node's side of JSON-RPC, without a network: answers by a table of methods, and what it was asked.

local cjson = require "cjson"

local node = {}

--- `methods[name](params)` returns the JSON text of a result, or nil and that of an error. -> post, list of questions
function node.new(methods)
  local asked = {}
  return function(body)
    local question = cjson.decode(body)
    asked[#asked + 1] = question
    local result, err = methods[question.method](question.params)
    if result then return ('{"jsonrpc":"2.0","id":%d,"result":%s}'):format(question.id, result) end
    return ('{"jsonrpc":"2.0","id":%d,"error":%s}'):format(question.id, err)
  end, asked
end

local function word(number) return ("%064x"):format(number) end

--- The ABI encoding of one bytes value, as JSON text.
function node.bytes(hex)
  return '"0x' .. word(32) .. word(#hex / 2) .. hex .. ("0"):rep(-#hex % 64) .. '"'
end

--- One address, as JSON text.
function node.address(address)
  return '"0x' .. ("0"):rep(24) .. address:sub(3) .. '"'
end

local function list(addresses)
  local words = { word(#addresses) }
  for _, address in ipairs(addresses) do words[#words + 1] = ("0"):rep(24) .. address:sub(3) end
  return table.concat(words)
end

local CONFIG_SET = "0x5b1f376eb2bda670fa39339616d0a73f45b61bec8faeba8ca834f2ebb49676e0"
local CONFIG_UPDATED = "0xb0b75a854fab801413da6202fc07e875c54eaf371a1e3909fb2645364ba58616"

local function event(verifier, topic, digest, data, block)
  return ('{"address":"%s","topics":["%s","%s"],"data":"0x%s","blockNumber":"0x%x","logIndex":"0x0"}'):format(
    verifier, topic, digest, data, block)
end

function node.config_set(verifier, digest, signers, f, block)
  return event(verifier, CONFIG_SET, digest, word(64) .. word(f) .. list(signers), block)
end

function node.config_updated(verifier, digest, before, after, block)
  local second = 64 + 32 * (1 + #before)
  return event(verifier, CONFIG_UPDATED, digest, word(64) .. word(second) .. list(before) .. list(after), block)
end

return node
