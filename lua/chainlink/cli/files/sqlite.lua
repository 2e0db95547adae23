-- SPDX-License-Identifier: MIT
-- Reports in a database of SQLite: a table of them all, whose key lets none in twice, a view for each schema, and the
-- names of feeds.

local chainlink = require "chainlink"
local core = require "chainlink.core"
local errors = require "chainlink.errors"
local text = require "chainlink.text"

local MOST = 500 -- reports of a transaction, and those of the second that they end in
local SECONDS = 1
local VERSION = 1 -- of these tables

local sqlite = {}

local TABLES = {
  [[CREATE TABLE IF NOT EXISTS reports (
    observations_timestamp_ms INTEGER NOT NULL, feed_id TEXT NOT NULL, version INTEGER NOT NULL,
    valid_from_timestamp_ms INTEGER, expires_at_ms INTEGER, price TEXT, fields TEXT NOT NULL, digest TEXT NOT NULL,
    full_report TEXT NOT NULL, PRIMARY KEY (observations_timestamp_ms, feed_id, digest))]],
  "CREATE TABLE IF NOT EXISTS feeds (feed_id TEXT PRIMARY KEY, version INTEGER NOT NULL, name TEXT)",
  "CREATE TABLE IF NOT EXISTS history (first INTEGER NOT NULL, feeds TEXT NOT NULL)",
  ("PRAGMA user_version = %d"):format(VERSION),
}

-- ---- a database ----

local Database = {}
Database.__index = Database

local function check(self, value, err)
  if value == nil then
    err.message = self.path .. ": " .. err.message
    error(err, 0)
  end
  return value
end

local function open(path, writes)
  local handle, err = core.sqlite_open(path, writes)
  if not handle then error(err, 0) end
  return setmetatable({ path = path, handle = handle }, Database)
end

function Database:prepare(sql)
  return check(self, core.sqlite_prepare(self.handle, sql))
end

-- The first row of a statement with these values, false where there is none.
function Database:run(sql, ...)
  local query = self:prepare(sql)
  check(self, core.sqlite_bind(query, select("#", ...), ...))
  local row = check(self, core.sqlite_step(query))
  core.sqlite_free(query)
  return row
end

function Database:fail(reason)
  error(errors.new("FileError", ("%s %s"):format(self.path, reason)), 0)
end

-- ---- written ----

local Writer = {}
Writer.__index = Writer

local function prepare_file(database)
  local version = tonumber(database:run "PRAGMA user_version"[1])
  local count = tonumber(database:run "SELECT count(*) FROM sqlite_master"[1])
  if count > 0 and version ~= VERSION then database:fail "is a database of something else" end
  database:run "PRAGMA journal_mode = WAL"
  database:run "PRAGMA synchronous = NORMAL"
  if count > 0 then return end
  database:run "BEGIN IMMEDIATE"
  for _, sql in ipairs(TABLES) do database:run(sql) end
  database:run "COMMIT"
end

-- A whole number as text; nil stays.
local function whole(value)
  return value and ("%.0f"):format(tonumber(value))
end

-- Is it of the same feeds, and does it begin no later? One that is new is marked.
local function check_history(database, ids, from)
  local feeds, row = table.concat(ids, " "), database:run "SELECT first, feeds FROM history"
  if not row then
    database:run("INSERT INTO history VALUES (?, ?)", whole(from), feeds)
  elseif row[2] ~= feeds then
    database:fail "is of other feeds"
  elseif from < tonumber(row[1]) then
    database:fail(("begins at %s, which is later than --from, %.0f"):format(row[1], from))
  end
end

-- The columns that a schema's fields are in the view of it.
local function view_of(version)
  local schema, columns = chainlink.schemas[version], {}
  for _, field in ipairs(schema and schema.fields or {}) do
    if field.name ~= "feed_id" and field.name ~= "price" and field.name:find "^[%a_][%w_]*$" then
      columns[#columns + 1] = ("json_extract(fields, '$.%s') AS %s"):format(field.name, field.name)
    end
  end
  if #columns == 0 then return nil end
  return ([[CREATE VIEW IF NOT EXISTS v%d AS SELECT feed_id,
    (SELECT name FROM feeds WHERE feeds.feed_id = reports.feed_id) AS name, observations_timestamp_ms, price, %s,
    full_report FROM reports WHERE version = %d]]):format(version, table.concat(columns, ", "), version)
end

--- Opens a file for reports of these feeds. options: resume; from, the first second, where it is a history.
function sqlite.write(path, ids, options)
  local file = not options.resume and io.open(path, "rb")
  if file then
    file:close()
    error(errors.new("FileError", path .. " is there already: --resume goes on with it"), 0)
  end
  local database = open(path, true)
  prepare_file(database)
  if options.from then check_history(database, ids, options.from) end
  local row = database:run "SELECT max(observations_timestamp_ms) FROM reports"
  return setmetatable({
    database = database, known = {}, count = 0, due = 0,
    last = row[1] and math.floor(tonumber(row[1]) / 1000) or nil,
    insert = database:prepare "INSERT OR IGNORE INTO reports VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
  }, Writer)
end

-- All fields by their names as JSON: what is wider than 32 bits is exact text.
local function fields_of(report)
  local values, members = report:to_table(), {}
  for _, field in ipairs(chainlink.schemas[report.version].fields) do
    local value = values[field.name]
    if type(value) == "string" then value = text.json_string(value)
    else value = type(value) == "number" and whole(value) or tostring(value) end
    if field.name ~= "feed_id" then members[#members + 1] = text.json_string(field.name) .. ":" .. value end
  end
  return "{" .. table.concat(members, ",") .. "}"
end

-- The feed's row, with its name as soon as one is known, and its schema's view.
local function introduce(self, report, name)
  self.known[report.feed_id] = name or ""
  self.database:run("INSERT INTO feeds VALUES (?, ?, ?) ON CONFLICT (feed_id) DO UPDATE SET name ="
    .. " coalesce(name, excluded.name)", report.feed_id, whole(report.version), name)
  local view = view_of(report.version)
  if view then self.database:run(view) end
end

function Writer:write(report, name)
  if self.count == 0 then self.database:run "BEGIN IMMEDIATE" end
  self.count = self.count + 1
  local known = self.known[report.feed_id]
  if not known or (known == "" and name) then introduce(self, report, name) end
  check(self.database, core.sqlite_bind(self.insert, 9, whole(report.observations_timestamp_ms), report.feed_id,
    whole(report.version), whole(report.valid_from_timestamp_ms), whole(report.expires_at_ms), report:exact "price",
    fields_of(report), report:digest(), report.full_report))
  check(self.database, core.sqlite_step(self.insert))
end

local function commit(self)
  if self.count > 0 then self.database:run "COMMIT" end
  self.count = 0
end

--- Whole seconds are in it now: ends the transaction when it is large or old enough.
function Writer:settle()
  local now = core.monotonic()
  if self.count < MOST and now < self.due then return end
  self.due = now + SECONDS
  commit(self)
end

function Writer:close()
  commit(self)
  core.sqlite_free(self.insert)
  core.sqlite_close(self.database.handle)
end

-- ---- read ----

--- A function that answers one report after the other, with the name of its feed, and one that ends it. What is no
--- report is told to complain(place, reason), where there is one, and passed over.
function sqlite.read(path, complain)
  local database = open(path, false)
  if database:run "PRAGMA user_version"[1] ~= tostring(VERSION) then database:fail "is a database of something else" end
  local query = database:prepare [[SELECT reports.rowid, full_report, name FROM reports
    LEFT JOIN feeds ON feeds.feed_id = reports.feed_id ORDER BY observations_timestamp_ms, reports.feed_id]]
  return function()
    while true do
      local row = check(database, core.sqlite_step(query))
      if not row then return nil end
      local report, err = chainlink.decode(row[2] or "")
      if report then return report, row[3] or nil end
      if complain then complain(("%s, row %s"):format(path, row[1]), tostring(err)) end
    end
  end, function()
    core.sqlite_free(query)
    core.sqlite_close(database.handle)
  end
end

return sqlite
