-- SPDX-License-Identifier: MIT
-- URLs of Redis, and what needs no server.

local address = require "chainlink.relay.address"
local chainlink = require "chainlink"
local failure = require "spec.support.failure"
local keys = require "chainlink.relay.keys"
local redirect = require "chainlink.relay.redirect"

describe("a URL of Redis", function()
  local good = {
    ["redis://localhost"] = { places = { { host = "localhost", port = 6379 } } },
    ["redis://10.0.0.1:7000/2"] = { places = { { host = "10.0.0.1", port = 7000 } }, database = "2" },
    ["redis://a:1,b,[::1]:3"] = { places = { { host = "a", port = 1 }, { host = "b", port = 6379 },
      { host = "::1", port = 3 } } },
    ["redis://me:p%40ss%3aword@h/0"] = { places = { { host = "h", port = 6379 } }, user = "me",
      password = "p@ss:word" },
    ["redis://:secret@h"] = { places = { { host = "h", port = 6379 } }, password = "secret" },
    ["rediss://:x@h:7"] = { places = { { host = "h", port = 7 } }, password = "x", wants_tls = true },
    ["redis://h:65535"] = { places = { { host = "h", port = 65535 } } },
    ["redis://secret@h"] = { places = { { host = "h", port = 6379 } }, password = "secret" },
    ["unix:/run/redis.sock"] = { places = { { host = "/run/redis.sock", port = 0 } } },
    ["unix:///run/redis.sock"] = { places = { { host = "/run/redis.sock", port = 0 } } },
  }
  for url, access in pairs(good) do
    it("is read: " .. url, function() assert.same(access, address.parse(url, "url")) end)
  end

  local neither, place = "it is none", "a host or port is wrong"
  local wrong = "what stands behind redis:// is wrong"
  for url, why in pairs { [""] = neither, ["h:1"] = neither, ["http://h"] = neither, ["rediss://"] = neither,
    ["redisss://h"] = neither, ["redis://"] = neither, ["redis://h:0"] = place, ["redis://h:65536"] = place,
    ["redis://h:99999"] = place, ["redis://h/x"] = wrong, ["unix:"] = neither, ["unix:relative"] = neither,
    ["redis://,"] = "there is no host",
    ["redis://u:simulator-secret@h:x"] = place, ["redis://u:simulator-secret@"] = wrong,
    ["rediss://u:simulator-secret@h:x"] = place } do
    it("is refused, and not repeated: " .. url, function()
      local err = failure.raised("ConfigError", {}, address.parse, url, "url")
      assert.equal("url must be redis://[user:password@]host:port[,host:port...][/database], rediss://... for TLS, "
        .. "or unix:PATH: " .. why, err.message)
    end)
  end

  it("is refused when it is no text", function()
    local err = failure.raised("ConfigError", {}, address.parse, 6379, "url")
    assert.truthy(err.message:find "^url must be .* got a number$")
  end)

  it("has places that people read", function()
    assert.equal("h:1", address.text { host = "h", port = 1 })
    assert.equal("[::1]:2", address.text { host = "::1", port = 2 })
    assert.equal("/run/x", address.text { host = "/run/x", port = 0 })
  end)
end)

describe("a cluster's redirection", function()
  local here = { host = "here", port = 1 }
  it("names a server", function()
    assert.same({ host = "10.0.0.2", port = 6381 }, redirect.read("MOVED 3999 10.0.0.2:6381", here))
    assert.same({ host = "here", port = 6381 }, redirect.read("MOVED 3999 :6381", here))
    assert.same({ host = "here", port = 6381 }, redirect.read("MOVED 3999 ?:6381", here))
    assert.same({ host = "::1", port = 6381 }, redirect.read("MOVED 3999 ::1:6381", here))
    assert.is_nil(redirect.read("ASK 3999 10.0.0.2:6381", here))
    assert.is_nil(redirect.read("CLUSTERDOWN", here))
  end)
end)

describe("an entry's id", function()
  it("is in order by both its parts", function()
    assert.is_true(keys.is_before("9-0", "10-0"))
    assert.is_true(keys.is_before("9-9", "9-10"))
    assert.is_false(keys.is_before("9-1", "9-1"))
    assert.is_nil((keys.parse "9"))
    assert.is_nil((keys.parse(nil)))
  end)
end)

describe("an answer of pairs", function()
  it("is read by the first of each", function()
    assert.same({ a = "1", b = "2" }, keys.pairs { "a", "1", "b", "2" })
    assert.same({ a = "1" }, keys.pairs { "a", "1", "b" })
    assert.same({ ["5"] = "1" }, keys.pairs { 5, "1" })
    assert.same({}, keys.pairs {})
    for _, none in ipairs { false, "text", { error = "ERR" } } do assert.is_nil(keys.pairs(none)) end
  end)
end)

describe("a source in Redis", function()
  local id = "0x0003" .. ("ab"):rep(30)
  local has_module = pcall(require, "chainlink.redis")

  it("is told as missing where its rock is", function()
    if has_module then return end
    local err = failure.raised("ConfigError", {}, function() chainlink.source.redis {} end)
    failure.says(err, "comes with the rock chainlink-streams-relay")
  end)

  local wrong = {
    { { feeds = { id } }, "url and feeds are required" }, { { url = "unix:/x" }, "url and feeds are required" },
    { { url = "x", feeds = { id } }, "url must be redis://" },
    { { url = "unix:/x", feeds = { id }, group = "g" }, "group and consumer go together" },
    { { url = "unix:/x", feeds = { id }, consumer = "c" }, "group and consumer go together" },
    { { url = "unix:/x", feeds = { id }, from = "old" }, 'option \'from\' must be "new", "all" or a time' },
    { { url = "unix:/x", feeds = { id }, group = 5, consumer = "c" }, "option 'group' must be a text" },
    { { url = "unix:/x", feeds = { id }, group = "", consumer = "c" }, "option 'group' is empty" },
    { { url = "unix:/x", feeds = { id }, group = ("g"):rep(257), consumer = "c" }, "option 'group' must be a text" },
    { { url = "unix:/x", feeds = { id }, group = "g", consumer = 5 }, "option 'consumer' must be a text" },
    { { url = "unix:/x", feeds = { id }, from = -1 }, 'option \'from\' must be "new", "all" or a time' },
    { { url = "unix:/x", feeds = { id }, from = 2 ^ 32 }, 'option \'from\' must be "new", "all" or a time' },
    { { url = 5, feeds = { id } }, "option 'url' must be a URL" },
    { { url = "unix:/x", feeds = id }, "option 'feeds' must be an array" },
    { { url = "unix:/x", feeds = { id }, form = "all" }, "form" },
    { { url = "unix:/x", feeds = { id }, verify = true }, "verify" },
    { { url = "redis://h", feeds = { id }, tls = {} }, "settings of TLS are for a URL that begins with rediss://" },
    { { url = "rediss://h", feeds = { id }, tls = true }, "option 'tls' must be a table" },
    { { url = "rediss://h", feeds = { id }, tls = { ca = "x" } }, "there is no option \"ca\"" },
    { { url = "rediss://h", feeds = { id }, tls = { ca_file = "" } }, "option 'ca_file' is empty" },
    { { url = "unix:/x", feeds = {} }, "empty table" },
  }
  for _, case in ipairs(wrong) do
    it("is refused: " .. case[2], function()
      if not has_module then return pending "built without hiredis" end
      failure.says(failure.raised("ConfigError", {}, chainlink.source.redis, case[1]), case[2])
    end)
  end

  it("does not repeat what it got for a URL", function()
    if not has_module then return pending "built without hiredis" end
    local err = failure.raised("ConfigError", {}, chainlink.source.redis, { url = 31415, feeds = { id } })
    assert.is_nil(err.message:find("31415", 1, true))
  end)

  it("takes names of 256 bytes, and every second that a report has", function()
    if not has_module then return pending "built without hiredis" end
    for _, from in ipairs { 0, 2 ^ 32 - 1 } do
      local name = ("g"):rep(256)
      chainlink.source.redis({ url = "unix:/nonexistent/socket", feeds = { id }, group = name, consumer = name,
        from = from, log_level = "none" }):close()
    end
  end)

  it("tells what it cannot reach", function()
    if not has_module then return pending "built without hiredis" end
    local source = chainlink.source.redis { url = "unix:/nonexistent/socket", feeds = { id }, loop = "block" }
    local err = failure.failure("TimeoutError", { retryable = true }, source:connect(0.05))
    failure.says(err, "the last failure: no connection")
    failure.failure("TimeoutError", {}, source:read(0))
    assert.is_nil((source:poll()))
    assert.equal("chainlink.source (/nonexistent/socket)", tostring(source))
    source:close()
    source:close()
    failure.failure("StreamClosedError", {}, source:read())
    failure.failure("StreamClosedError", {}, source:poll())
    failure.failure("StreamClosedError", {}, source:connect())
    failure.says(failure.raised("ConfigError", {}, source.read), "write source:read(...) with a colon")
  end)
end)
