-- SPDX-License-Identifier: MIT
-- The candlestick service's stream of trades. Trades are popped in C; waiting is here, through the loop's wait.
-- docs/candles.md says what is assumed where the service's description is silent.

local core = require "chainlink.core"
local check = require "chainlink.check"
local config = require "chainlink.config"
local errors = require "chainlink.errors"
local events = require "chainlink.events"
local text = require "chainlink.text"
local waiting = require "chainlink.waiting"

local Trades = core.trades_metatable
local methods = {}
Trades.__index = methods

local SCALE = 18 -- decimals of the service's prices
local MAX_SYMBOLS, MAX_SYMBOL = 100, 64 -- characters
local PATIENCE = 15 -- seconds: three heartbeats
local monotonic, uservalue = core.monotonic, core.uservalue

-- ---- taking ----

-- A JSON number's text, divided by 10^18, as exact decimal text.
local function scaled(number)
  local sign, whole, fraction, exponent = number:match "^(%-?)(%d+)%.?(%d*)[eE]?([+-]?%d*)$"
  local digits = whole .. fraction
  local point = #whole + (tonumber(exponent) or 0) - SCALE
  if point <= 0 then
    digits, point = ("0"):rep(1 - point) .. digits, 1
  elseif point > #digits then
    digits = digits .. ("0"):rep(point - #digits)
  end
  whole, fraction = digits:sub(1, point):gsub("^0+(%d)", "%1"), digits:sub(point + 1):gsub("0+$", "")
  if fraction ~= "" then whole = whole .. "." .. fraction end
  return (whole == "0" and "" or sign) .. whole
end

-- -> trade | nil | false, err
local function pop(trades)
  local symbol, feed_id, raw, time, received_at = core.trades_pop(trades)
  if not symbol then return symbol, feed_id end
  return { symbol = symbol, feed_id = feed_id, price = scaled(raw), raw = raw, time = time,
    received_at = received_at / 1000 }
end

-- -> trade | nil, err
local function read(trades, state, timeout)
  local deadline = timeout and monotonic() + timeout
  while true do
    events.drain(state, core.trades_event, trades)
    local trade, err = pop(trades)
    if trade then return trade end
    if trade == false then return nil, err end
    local left = deadline and deadline - monotonic()
    if left and left <= 0 then
      return nil, errors.new("TimeoutError", ("no trade within %g seconds"):format(timeout), { retryable = true })
    end
    state.wait(core.trades_fd(trades), left)
  end
end

--- The next trade; waits up to `timeout` seconds, without one as long as it takes. -> trade | nil, err
function methods.read(trades, timeout)
  local state = check.self(trades, "trades", "read")
  check.seconds(timeout, "timeout")
  return read(trades, state, timeout)
end

--- `for trade in trades do`: a clean close ends the loop, a failure raises its error object.
function Trades.__call(trades)
  local state = check.self(trades, "trades", "read")
  waiting.check_for(state, "trades:read")
  local trade, err = read(trades, state)
  if trade then return trade end
  if core.trades_is_closed(trades) then return nil end
  error(err, 0)
end

--- Never waits. -> trade | nil when none is there | nil, err when it is over
function methods.poll(trades)
  events.drain(check.self(trades, "trades", "poll"), core.trades_event, trades)
  local trade, err = pop(trades)
  return trade or nil, err
end

-- ---- event loops ----

--- The descriptor that is readable exactly while something waits for the script; it stays until it is collected.
function methods.pollfd(trades)
  check.self(trades, "trades", "pollfd")
  return core.trades_fd(trades)
end

methods.getfd = methods.pollfd -- LuaSocket's select

function methods.events(trades)
  check.self(trades, "trades", "events")
  return "r"
end

function methods.timeout(trades) check.self(trades, "trades", "timeout") end

function methods.dirty(trades)
  check.self(trades, "trades", "dirty")
  return false
end

-- ---- the rest ----

--- Counters (docs/candles.md).
function methods.stats(trades)
  events.drain(check.self(trades, "trades", "stats"), core.trades_event, trades)
  return core.trades_stats(trades)
end

--- Ends it; trades that wait are given up. May be called again.
function methods.close(trades)
  local state = check.self(trades, "trades", "close")
  core.trades_close(trades)
  events.drain(state, core.trades_event, trades)
end

Trades.__close = methods.close

function Trades.__tostring(trades)
  local state = uservalue(trades)
  return ("chainlink.trades (%s)"):format(core.trades_is_closed(trades) and "closed" or state.symbols)
end

-- ---- its start ----

local rows = {
  { "heartbeat_timeout", nil, config.number_between(1, 3600), "a number of seconds, from 1 to 3600" },
}
local shared = { "logger", "log_level", "on_status", "loop" }

local function check_symbols(value)
  if type(value) ~= "table" or #value == 0 or #value > MAX_SYMBOLS then
    errors.raise("ConfigError", ("symbols must be an array of 1 to %d symbols, got %s"):format(MAX_SYMBOLS,
      type(value) == "table" and #value .. " of them" or errors.describe(value)))
  end
  for i = 1, #value do
    local symbol = value[i]
    if type(symbol) ~= "string" or #symbol == 0 or #symbol > MAX_SYMBOL or symbol:find "[,%c\127-\255 ]" then
      errors.raise("ConfigError", ('symbols[%d] must be a text such as "ETHUSD", got %s'):format(i,
        errors.describe(symbol)))
    end
  end
  return value
end

local trades = {}

-- Lua closes the fourth value of a generic `for` from 5.4 on.
local closes_for_loops = _VERSION >= "Lua 5.4"

--- Checks everything and returns at once; connecting goes on behind. -> trades | nil, err
function trades.open(client, client_state, symbols, options)
  local names = {}
  for i, symbol in ipairs(check_symbols(symbols)) do names[i] = text.encode(symbol) end
  local values = config.read(rows, shared, options, client_state.values)
  local loop = waiting.by(values.loop)
  local self, err = core.trades(client, "symbol=" .. table.concat(names, ","), values.heartbeat_timeout or PATIENCE)
  if not self and err.kind == "ConfigError" then errors.throw(err) end
  if not self then return nil, err end
  local state = uservalue(self)
  state.class, state.symbols, state.client = "trades", table.concat(symbols, ","), client
  state.wait, state.may_yield = loop.wait, loop.may_yield
  state.logger, state.log_level, state.on_status = values.logger, values.log_level, values.on_status
  state.on_response = client_state.values.on_response
  if closes_for_loops then return self, nil, nil, self end
  return self
end

return trades
