-- SPDX-License-Identifier: MIT
-- Metamethods are functions like others: the debug library and the binding hand them out. signers_metatable.__gc(nil)
-- crashed. Each function of the binding, called with anything, raises or does what it can.

local chainlink = require "chainlink"
local core = require "chainlink.core"
local sample = require "spec.support.sample"

local function nothing() end

-- A database, another one that is finalized, and queries likewise; nothing where there is no SQLite.
local function add_databases(objects)
  local database, finalized = core.sqlite_open(":memory:", true), core.sqlite_open(":memory:", true)
  if not (database and finalized) then return end
  local over = assert(core.sqlite_prepare(database, "SELECT 1"))
  for _, object in ipairs { database, assert(core.sqlite_prepare(database, "SELECT ?")), finalized, over } do
    objects[#objects + 1] = object
  end
  for _, object in ipairs { finalized, over } do debug.getmetatable(object).__gc(object) end
end

-- One of each class, new, closed and finalized.
local function make_objects()
  local client = chainlink.client { api_key = "k", api_secret = "s", proxy = false, rest_url = "http://127.0.0.1:1",
    ws_url = "ws://127.0.0.1:1", price_url = "http://127.0.0.1:1", max_retries = 0, max_reconnects = 0,
    rate_limit = false, backfill = false,
    circuit_breaker = false, log_level = "none" }
  local closed = chainlink.client { api_key = "k", api_secret = "s" }
  local id = sample.feed_id(3)
  local objects = {
    client, closed, client:stream { id }, client:stream { id }, client:stream { id },
    assert(core.call(client, "get_feeds")), assert(core.call(client, "get_feeds")),
    chainlink.signers {}, chainlink.signers {},
    (assert(chainlink.decode(sample.v3))),
    select(2, chainlink.decode "0x00"),
    chainlink.client { api_key = "k", api_secret = "s" },
    assert(core.bell()), assert(core.bell()),
    assert(core.web_open("127.0.0.1", 0)), assert(core.web_open("127.0.0.1", 0)),
    (client:trades { "A" }), (client:trades { "A" }),
    core.recorder(), core.recorder(),
  }
  closed:close()
  objects[4]:close()
  for _, place in ipairs { 5, 7, 9, 12, 14, 16, 18, 20 } do debug.getmetatable(objects[place]).__gc(objects[place]) end
  add_databases(objects)
  return objects, function() client:close() end
end

local strangers = {
  true, 0, -1, 1.5, 0 / 0, 2 ^ 53, math.huge, "", "text", ("0"):rep(100000), {}, setmetatable({}, { __index = error }),
  nothing, coroutine.create(nothing), io.stdout, require("cjson").null,
}

-- As long as it is told to, or for somebody who types.
local may_wait = { wait = true, web_step = true, read_fd = true, read_secret = true }

-- Files that were made because a stranger was taken for a name.
local function remove_files()
  for _, stranger in ipairs(strangers) do
    local name = (type(stranger) == "number" or type(stranger) == "string") and tostring(stranger)
    if name and #name > 0 and #name < 100 then os.remove(name) end
  end
end

-- Every function of the binding by its name: the metamethods and methods of its classes, and its own.
local function each_function(visit)
  local registry = debug.getregistry()
  for name, metatable in pairs(registry) do
    if type(name) == "string" and name:find "^chainlink%." and type(metatable) == "table" then
      for key, member in pairs(metatable) do
        if type(member) == "function" then visit(name .. "." .. key, member) end
      end
      for key, method in pairs(type(metatable.__index) == "table" and metatable.__index or {}) do
        visit(name .. ":" .. key, method)
      end
    end
  end
  for name, member in pairs(core.report_methods) do visit("report:" .. name, member) end
  for name, member in pairs(core) do
    if type(member) == "function" and not may_wait[name] then visit("core." .. name, member) end
  end
end

-- ThreadSanitizer keeps the frame of each function that an error leaves, and has room for 65,536 of them.
local STEP = os.getenv "TSAN_OPTIONS" and 7 or 1
local lists = 0

-- All lists of up to two arguments, the strangers with an object each; under ThreadSanitizer every seventh of them.
local function each_list(objects, visit_list)
  local function visit(...)
    lists = lists + 1
    if lists % STEP == 0 then visit_list(...) end
  end
  visit()
  for _, stranger in ipairs(strangers) do
    visit(stranger)
    visit(stranger, stranger)
  end
  for _, object in ipairs(objects) do
    visit(object)
    for _, stranger in ipairs(strangers) do
      visit(object, stranger)
      visit(stranger, object)
    end
    for _, other in ipairs(objects) do visit(object, other) end
    visit(nil, object)
  end
end

describe("the binding's functions", function()
  it("bear any arguments", function()
    local functions, finalizers = 0, 0
    local objects, close = make_objects()
    finally(remove_files)
    each_function(function(name, run)
      functions = functions + 1
      if name:find "%.__gc$" then finalizers = finalizers + 1 end
      each_list(objects, function(...)
        local ok, err = pcall(run, ...)
        if not ok then assert(type(err) == "string" or chainlink.is_error(err), name .. ": " .. tostring(err)) end
      end)
      if name:find "gc" or name:find "close" or name:find "free" then -- none is left as it was
        close()
        collectgarbage()
        objects, close = make_objects()
      end
    end)
    close()
    assert(functions > 60 and finalizers == 11, functions .. " functions, " .. finalizers .. " finalizers")
  end)

  it("know a finalized object", function()
    local objects, close = make_objects()
    finally(close)
    local stream, client = objects[5], objects[12]
    for _, object in ipairs { stream, client, objects[18] } do
      assert.is_truthy(tostring(object):find("closed", 1, true))
      object:close()
      local ok, err = pcall(object.stats, object)
      assert.is_false(ok)
      assert.is_truthy(err:find(" is gone", 1, true))
    end
    assert.is_false((pcall(stream.poll, stream)))
    assert.is_false((pcall(client.get_feeds, client)))
  end)
end)
