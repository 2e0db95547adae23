-- SPDX-License-Identifier: MIT
-- JSON-RPC with an Ethereum node. Every byte of an answer is read with distrust; what nodes say of a revert differs
-- from one to the next.

local errors = require "chainlink.errors"
local json = require "chainlink.json"
local reverts = require "chainlink.onchain.reverts"

local rpc = {}

local function decode_error(method, what, expected)
  return errors.new("DecodeError", method .. ": " .. what, { expected = expected })
end

local function plain(text)
  return (text:gsub("[%c\127-\255]", "?"):sub(1, 200))
end

-- ---- reverts ----

-- The hex at the end of a text such as "0x…" or "Reverted 0x…", without 0x.
local function hex_of(text)
  local hex = text:match "0[xX](%x*)%s*$"
  return hex and #hex % 2 == 0 and hex:lower() or nil
end

-- Nodes hide the revert data in error.data, as text or in a member of a table, some one table deeper.
local function find_data(value, depth)
  if type(value) == "string" then return hex_of(value) end
  if type(value) ~= "table" or depth == 0 then return nil end
  for _, name in ipairs { "data", "result", "return", "originalError" } do
    local found = find_data(value[name], depth - 1)
    if found then return found end
  end
  for _, member in pairs(value) do
    local found = type(member) == "table" and find_data(member, depth - 1)
    if found then return found end
  end
end

-- The revert data, "" when there is none; nil when the error is no revert.
local function revert_data(err, message)
  local data = find_data(err.data, 4)
  local words = type(err.data) == "string" and message .. err.data or message
  local says_so = words:lower():find("revert", 1, true) ~= nil
  if data and (#data >= 8 or says_so or err.code == 3) then return data end
  if says_so or err.code == 3 then return hex_of(message) or "" end
end

local function rpc_error(method, err)
  local message = type(err.message) == "string" and err.message or ""
  local data = revert_data(err, message)
  if data then return reverts.error(data) end
  local code = type(err.code) == "number" and err.code == math.floor(err.code) and ("%.0f"):format(err.code) or "?"
  return errors.new("APIError", ("%s: the node answered error %s: %s"):format(method, code, plain(message)),
    { code = err.code, rpc = true })
end

-- ---- answers ----

local function is_present(value)
  return value ~= nil and value ~= json.null
end

local function read_answer(method, id, body)
  local answer = json.decode(body)
  if type(answer) ~= "table" then return nil, decode_error(method, "the answer is not JSON", "a JSON object") end
  if is_present(answer.error) then
    if type(answer.error) ~= "table" then return nil, decode_error(method, "a malformed error", "an object") end
    return nil, rpc_error(method, answer.error)
  end
  if answer.id ~= id then return nil, decode_error(method, "the answer to another question", "id " .. id) end
  if not is_present(answer.result) then return nil, decode_error(method, "an answer without a result", "a result") end
  return answer.result
end

-- Some nodes answer with an HTTP error status and a JSON-RPC error in the body.
local function explain(method, err)
  local answer = err.kind == "APIError" and type(err.body) == "string" and json.decode(err.body)
  if type(answer) ~= "table" or type(answer.error) ~= "table" then return err end
  local better = rpc_error(method, answer.error)
  better.status = err.status
  return better
end

--- post(body) -> body | nil, err becomes call(method, params) -> result | nil, err. `params` is JSON text.
function rpc.new(post)
  local id = 0
  return function(method, params)
    id = id + 1
    local body, err = post(('{"jsonrpc":"2.0","id":%d,"method":"%s","params":%s}'):format(id, method, params))
    if not body then return nil, explain(method, err) end
    return read_answer(method, id, body)
  end
end

--- The digits of a "0x…" result of whole bytes, in lower case; nil for anything else.
function rpc.data(result)
  local hex = type(result) == "string" and result:match "^0x(%x*)$"
  return hex and #hex % 2 == 0 and hex:lower() or nil
end

--- The number of a quantity such as "0x1b4"; nil for anything else.
function rpc.quantity(result)
  local hex = type(result) == "string" and result:match "^0x(%x+)$"
  return hex and #hex <= 12 and tonumber(hex, 16) or nil
end

rpc.decode_error = decode_error

return rpc
