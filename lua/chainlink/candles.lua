-- SPDX-License-Identifier: MIT
-- The candlestick service: a token by the client's credentials, symbols, candles. docs/candles.md says what is assumed
-- where its description is silent.

local core = require "chainlink.core"
local calls = require "chainlink.call"
local check = require "chainlink.check"
local config = require "chainlink.config"
local errors = require "chainlink.errors"
local json = require "chainlink.json"
local encode = require("chainlink.text").encode

local candles = {}

local MARGIN = 60 -- seconds before its end in which a token is not used any more
local SCALE = 1e18
local MAX_TOKEN = 4096
local MAX_GROUPS = 100 -- each is a question

-- ---- answers ----

local function wrong(...)
  return nil, errors.new("DecodeError", "the candlestick service's answer is not as expected: "
    .. (...):format(select(2, ...)), { expected = "an answer with s = \"ok\"" })
end

-- The object of a body whose "s" says ok. -> table | nil, err
local function read(body)
  local answer, why = json.decode(body)
  if type(answer) ~= "table" then return wrong("%s", why or "not an object") end
  if answer.s == "ok" then return answer end
  local words = type(answer.errmsg) == "string" and answer.errmsg:gsub("[%c\127-\255]", "?"):sub(1, 200) or nil
  if answer.s ~= "error" then return wrong('"s" is %s', errors.describe(answer.s)) end
  return nil, errors.new("APIError", "the candlestick service answered an error" .. (words and ": " .. words or ""),
    { status = 200 })
end

local function finish(state, call, err)
  if not call and err.kind == "ConfigError" then errors.throw(err) end
  if not call then return nil, err end
  local body, why = calls.explained(state, call)
  if not body then return nil, why end
  return read(body)
end

-- ---- the token ----

local function is_token(value)
  return type(value) == "string" and #value > 0 and #value <= MAX_TOKEN and not value:find "[^!-~]"
end

local function authorize(client, state)
  local answer, err = finish(state, core.authorize(client))
  if not answer then return nil, err end
  local data = type(answer.d) == "table" and answer.d or {}
  if not is_token(data.access_token) then return wrong "it has no access_token" end
  if type(data.expiration) ~= "number" then return wrong "it has no expiration" end
  state.price_token, state.price_token_ends = data.access_token, data.expiration
  return data.access_token
end

-- A question with the token that is kept, or a new one; with a new one again when the service does not know it.
local function ask(client, state, what, query)
  local is_kept = state.price_token ~= nil and core.time() < state.price_token_ends - MARGIN
  local token, err = state.price_token, nil
  if not is_kept then token, err = authorize(client, state) end
  if not token then return nil, err end
  local answer
  answer, err = finish(state, core.prices(client, what, query, token))
  if answer or not is_kept or err.kind ~= "AuthenticationError" then return answer, err end
  token, err = authorize(client, state)
  if not token then return nil, err end
  return finish(state, core.prices(client, what, query, token))
end

-- ---- symbols ----

local function group_names(client, state)
  local answer, err = ask(client, state, "groups", "")
  if not answer then return nil, err end
  local list = type(answer.d) == "table" and answer.d.groups
  if type(list) ~= "table" then return wrong 'it has no list "groups"' end
  if #list > MAX_GROUPS then return wrong("it has %d groups, expected at most %d", #list, MAX_GROUPS) end
  local names = {}
  for i, group in ipairs(list) do
    if type(group) ~= "table" or type(group.id) ~= "string" then return wrong("group %d has no id", i) end
    names[i] = group.id
  end
  return names
end

local columns = { { "symbol", "symbol" }, { "currency", "currency" }, { "base-currency", "base_currency" } }

local function add_symbols(list, answer, group)
  local symbols = answer.symbol
  if type(symbols) ~= "table" then return wrong 'it has no list "symbol"' end
  for i = 1, #symbols do
    local item = { group = group }
    for _, column in ipairs(columns) do
      local value = type(answer[column[1]]) == "table" and answer[column[1]][i]
      if type(value) ~= "string" then return wrong("%s %d is %s", column[1], i, errors.describe(value)) end
      item[column[2]] = value
    end
    list[#list + 1] = item
  end
  return list
end

--- The symbols of a group, or of all. -> {{symbol=, currency=, base_currency=, group=}, …} | nil, err
function candles.symbols(client, state, group)
  if group ~= nil and (type(group) ~= "string" or group == "") then
    errors.raise("ConfigError", "group must be a text, got " .. errors.describe(group))
  end
  local names, err = { group }, nil
  if not group then names, err = group_names(client, state) end
  local list = names and {}
  for _, name in ipairs(names or {}) do
    local answer
    answer, err = ask(client, state, "symbols", "group=" .. encode(name))
    if answer then list, err = add_symbols(list, answer, name) end
    if not answer or not list then return nil, err end
  end
  return list, err
end

-- ---- candles ----

local rows = {
  { "symbol", nil, function(value) return type(value) == "string" and value ~= "" end, 'a text such as "ETHUSD"',
    required = true },
  { "resolution", nil, function(value) return type(value) == "string" and value:find "^[1-9]%d*[mhdwMy]$" end,
    'a text like "1m", "4h", "1d", "1w", "1M" or "1y"', required = true },
  { "from", nil, config.whole_between(0, 2 ^ 32 - 1), "a time in seconds since 1970", required = true },
  { "to", nil, config.whole_between(0, 2 ^ 32 - 1), "a time in seconds since 1970" },
}

local names = { "time", "open", "high", "low", "close", "volume" }

local function is_number(value)
  return type(value) == "number" and value - value == 0
end

-- -> candle | nil, what is wrong
local function read_row(row)
  if type(row) ~= "table" or #row ~= #names then return nil, "it has not six members" end
  local candle = {}
  for i, name in ipairs(names) do
    local value = row[i]
    if not is_number(value) then return nil, ("%s is %s"):format(name, errors.describe(value)) end
    candle[name] = (name == "time" or name == "volume") and value or value / SCALE
  end
  if candle.time ~= math.floor(candle.time) then return nil, "time is no whole second" end
  candle.time = math.floor(candle.time)
  return candle
end

local function read_rows(answer)
  if type(answer.candles) ~= "table" then return wrong 'it has no list "candles"' end
  local list = {}
  for i = 1, #answer.candles do
    local candle, why = read_row(answer.candles[i])
    if not candle then return wrong("candle %d: %s", i, why) end
    list[i] = candle
  end
  table.sort(list, function(a, b) return a.time < b.time end)
  return list
end

--- Candles of a symbol, ascending. -> {{time=, open=, high=, low=, close=, volume=}, …} | nil, err
function candles.history(client, state, options)
  local values = config.read(rows, {}, options)
  local to = values.to or check.timestamp(math.floor(core.time()), "to")
  if values.from > to then errors.raise("ConfigError", ("from, %d, is later than to, %d"):format(values.from, to)) end
  local answer, err = ask(client, state, "candles", ("symbol=%s&resolution=%s&from=%d&to=%d"):format(
    encode(values.symbol), values.resolution, values.from, to))
  if not answer then return nil, err end
  return read_rows(answer)
end

return candles
