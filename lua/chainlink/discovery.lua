-- SPDX-License-Identifier: MIT
-- The service's catalogue of feeds: filters to a query, an answer to feeds, and answers kept as long as they may be.

local core = require "chainlink.core"
local anonymous = require "chainlink.anonymous"
local calls = require "chainlink.call"
local errors = require "chainlink.errors"
local json = require "chainlink.json"
local encode = require("chainlink.text").encode
local keep = require "chainlink.keep"
local time = require "chainlink.time"

local discovery = {}

local NOTICE = 30 * 86400 -- seconds before it goes, in which a feed's going is told
local MAX_LEAVING = 4096 -- feeds whose going is remembered

local function raise(...)
  errors.raise("ConfigError", (...):format(select(2, ...)))
end

-- ---- the question ----

local function text_of(value, name)
  if type(value) == "string" and value ~= "" and not value:find "," then return encode(value) end
  raise("filter '%s' must be a text without a comma, or an array of such, got %s", name, errors.describe(value))
end

local function texts_of(value, name)
  if type(value) ~= "table" then return text_of(value, name) end
  local list = {}
  for i = 1, #value do list[i] = text_of(value[i], ("%s[%d]"):format(name, i)) end
  if #list == 0 then raise("filter '%s' must be a text or an array of texts, got an empty table", name) end
  return table.concat(list, ",")
end

local function date_of(value, name)
  if type(value) == "string" and time.day(value) then return value end
  raise("filter '%s' must be a day, YYYY-MM-DD, got %s", name, errors.describe(value))
end

local function flag_of(value, name)
  if type(value) == "boolean" then return tostring(value) end
  raise("filter '%s' must be true or false, got %s", name, errors.describe(value))
end

local filters = { asset_class = texts_of, attribute_type = texts_of, base_asset = texts_of, created_after = date_of,
  created_before = date_of, decommissioned_after = date_of, decommissioned_before = date_of,
  expected_decommission_after = date_of, expected_decommission_before = date_of, feed_type = texts_of,
  hidden = flag_of, network_type = texts_of, quote_asset = texts_of, status = texts_of }

local filter_names = {}
for name in pairs(filters) do filter_names[#filter_names + 1] = name end
table.sort(filter_names)

--- The query for a table of filters, always the same for the same ones; wrong filters raise.
function discovery.query(given)
  if given == nil then return "" end
  if type(given) ~= "table" then raise("filters must be a table, got %s", errors.describe(given)) end
  for name in pairs(given) do
    if not filters[name] then
      raise("there is no filter %s; there are %s", errors.describe(name), table.concat(filter_names, ", "))
    end
  end
  local parts = {}
  for _, name in ipairs(filter_names) do
    if given[name] ~= nil then parts[#parts + 1] = name .. "=" .. filters[name](given[name], name) end
  end
  return table.concat(parts, "&")
end

-- ---- the answer ----

local function wrong(...)
  return nil, errors.new("DecodeError", "the catalogue of feeds is not as expected: " .. (...):format(select(2, ...)),
    { expected = "a feed catalogue" })
end

local function read_text(value) return type(value) == "string" and value or nil end
local function read_time(value) return type(value) == "string" and time.rfc3339(value) or nil end

local function read_version(value)
  local digits = type(value) == "string" and value:match "^[Vv](%d%d?%d?%d?)$"
  return digits and tonumber(digits) or nil
end

-- The service's name of a member, ours, how it is read, and what is expected.
local members = {
  { "name", "name", read_text, "a text" }, { "assetName", "asset_name", read_text, "a text" },
  { "baseAsset", "base_asset", read_text, "a text" }, { "quoteAsset", "quote_asset", read_text, "a text" },
  { "assetClass", "asset_class", read_text, "a text" }, { "feedType", "feed_type", read_text, "a text" },
  { "attributeType", "attribute_type", read_text, "a text" }, { "marketHours", "market_hours", read_text, "a text" },
  { "serviceLevel", "service_level", read_text, "a text" }, { "networkType", "network_type", read_text, "a text" },
  { "status", "status", read_text, "a text" }, { "schemaVersion", "schema_version", read_version, "V and a number" },
  { "createdAt", "created_at", read_time, "a time" },
  { "expectedDecommissionAt", "expected_decommission_at", read_time, "a time" },
  { "decommissionedAt", "decommissioned_at", read_time, "a time" },
}

-- -> feed | nil, what is wrong
local function read_feed(item)
  local id = type(item) == "table" and type(item.feedId) == "string" and core.feed_id(item.feedId)
  if not id then return nil, "it has no valid feedId" end
  local feed = { id = id }
  for _, member in ipairs(members) do
    local value = item[member[1]]
    if value ~= nil and value ~= json.null then
      feed[member[2]] = member[3](value)
      if feed[member[2]] == nil then
        return nil, ("%s is %s, expected %s"):format(member[1], errors.describe(value), member[4])
      end
    end
  end
  return feed
end

--- The feeds of an answer. -> {{id=, name=, …}, …} | nil, err
function discovery.read(body)
  local answer, why = json.decode(body)
  if type(answer) ~= "table" then return wrong("%s", why or "not an object") end
  local list, feeds = answer.feeds, {}
  if type(list) ~= "table" or (#list == 0 and next(list) ~= nil) then return wrong 'it has no list "feeds"' end
  for i = 1, #list do
    feeds[i], why = read_feed(list[i])
    if not feeds[i] then return wrong("feed %d: %s", i, why) end
  end
  return feeds
end

-- ---- asking ----

local Catalogue = {}
Catalogue.__index = Catalogue

--- A catalogue, which keeps what it may of the answers.
function discovery.new()
  return setmetatable({ kept = keep.new(), leaving = {}, leaving_count = 0 }, Catalogue)
end

-- Remembers when feeds are to go.
local function remember(self, feeds)
  for _, feed in ipairs(feeds) do
    local before, at = self.leaving[feed.id], feed.expected_decommission_at
    local count = self.leaving_count + (at and 1 or 0) - (before and 1 or 0)
    if count <= MAX_LEAVING then self.leaving[feed.id], self.leaving_count = at, count end
  end
end

--- When the feed is to go, if an answer told so and it is within 30 days from `now` (Unix seconds); else nil.
function Catalogue:goes_at(id, now)
  local at = self.leaving[id]
  return at and at <= now + NOTICE and at or nil
end

--- question: {client=, state=, query=, key= (under which its answer is kept), anonymous=}. -> feeds | nil, err
function Catalogue:ask(question)
  local now = core.monotonic()
  local body = not core.client_is_closed(question.client) and self.kept:get(question.key, now)
  if body then return discovery.read(body) end
  local call, err = core.discover(question.client, question.query, question.anonymous)
  if not call and err.kind == "ConfigError" then errors.throw(err) end
  if not call then return nil, err end
  local status, seconds
  body, status, seconds = calls.explained(question.state, call)
  if not body then return nil, status end
  local feeds
  feeds, err = discovery.read(body)
  if not feeds then return nil, err end
  self.kept:put(question.key, body, seconds or 0, now)
  remember(self, feeds)
  return feeds
end

-- ---- without credentials ----

local client_options = { "network", "rest_url", "timeout", "connect_timeout", "max_retries", "retry_delay",
  "retry_max_delay", "headers", "tls", "proxy", "logger", "log_level", "on_response", "loop" }

local own = {}
for _, name in ipairs(client_options) do own[name] = true end

local everyone = discovery.new()

-- Answers that came by other ways are not mixed: one may be trusted less.
local function way_of(engine)
  local parts = {}
  for _, name in ipairs { "rest_url", "proxy", "ca_file", "ca_path", "cert_file", "key_file",
    "insecure_skip_verify" } do
    parts[#parts + 1] = tostring(engine[name])
  end
  for _, header in ipairs(engine.headers) do parts[#parts + 1] = header.name .. ":" .. header.value end
  return table.concat(parts, "\n")
end

--- Filters and options of a client in one table; wrong ones raise. -> feeds | nil, err
function discovery.public(options)
  if options ~= nil and type(options) ~= "table" then
    raise("options must be a table, got %s", errors.describe(options))
  end
  local given, of_client = {}, { rate_limit = false }
  for name, value in pairs(options or {}) do (own[name] and of_client or given)[name] = value end
  local query = discovery.query(given)
  local client, state, engine = anonymous.open(of_client, "rest_url")
  local feeds, err = everyone:ask { client = client, state = state, query = query, anonymous = true,
    key = way_of(engine) .. "\n" .. query }
  core.client_close(client)
  return feeds, err
end

return discovery
