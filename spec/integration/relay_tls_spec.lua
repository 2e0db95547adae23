-- SPDX-License-Identifier: MIT
-- Reports through a real Redis by TLS, and through what is none.

local await = require "spec.support.await"
local chainlink = require "chainlink"
local failure = require "spec.support.failure"
local project = require "spec.support.project"
local redis_server = require "spec.support.redis_server"
local relaying = require "spec.support.relaying"
local service = require "spec.support.service"
local tls_server = require "spec.support.tls_server"

local has_module, why = pcall(require, "chainlink.redis")
local absent = not has_module and "built without hiredis: " .. why:match "^[^\n]*"
  or not redis_server.is_there() and "redis-server is not here" or nil

if absent then
  describe("Redis by TLS", function() it("has reports", function() pending(absent) end) end)
  return
end

local address = require "chainlink.relay.address"
local sinks = require "chainlink.relay.sink"

describe("Redis by TLS", function()
  local sim, client, ids, folder, remove, server, port, tls
  local running = {}

  local function start(settings, login)
    port = redis_server.free_port()
    server = redis_server.start(("--bind 127.0.0.1 127.0.0.2 --tls-port %d --tls-cert-file %s/ca --tls-key-file %s/key "
      .. "--tls-ca-cert-file %s/ca %s"):format(port, folder, folder, folder, settings), nil, login)
  end

  local function source(options)
    local all = { url = "rediss://localhost:" .. port, feeds = ids, from = "all", tls = tls, log_level = "none",
      loop = "block" }
    for name, value in pairs(options or {}) do all[name] = value end
    local self = assert(chainlink.source.redis(all))
    running[#running + 1] = { stop = function() self:close() end }
    return self
  end

  local function read(from, count, list)
    list = list or {}
    for _ = 1, count do list[#list + 1] = assert(from:read(30)) end
    return list
  end

  setup(function()
    folder, remove = project.folder()
    tls_server.make_certificate(folder)
    tls = { ca_file = folder .. "/ca" }
  end)
  teardown(function() remove() end)
  service.for_all({ rate_limit = 0, feeds = 3, rate = 10, signers = 2 }, { rate_limit = false }, function(...)
    sim, client = ...
    ids = service.ids(client)
  end)
  after_each(function()
    for _ = 1, #running do table.remove(running).stop() end
    if server then server:stop() end
    server = nil
  end)

  it("brings all, once and in order, with a user and a password that nobody is told", function()
    start("--tls-auth-clients no --user default off --user me on '>simulator-secret' '~*' +@all",
      "--user me -a simulator-secret")
    local words = ("--redis rediss://me:@localhost:%d --redis-ca %s/ca %s"):format(port, folder, table.concat(ids, " "))
    local relay = relaying.start({
      exports = function() return "REDISCLI_AUTH=simulator-secret " .. sim:exports() end }, words)
    running[#running + 1] = relay
    local from = source { url = "rediss://me:simulator%2dsecret@localhost:" .. port }
    assert.equal(from, (from:connect(10)))
    local reports = read(from, 60)
    server:kill()
    server:run()
    read(from, 60, reports)
    relaying.check(client, reports)
    assert.is_true(from:stats().reconnect_count > 0)
    assert.is_nil(relay.output():find("simulator-secret", 1, true))
    assert.is_nil(tostring(from):find("secret", 1, true))
  end)

  it("carries what is longer than the sockets take at once", function()
    start "--tls-auth-clients no"
    local access = address.parse("rediss://127.0.0.1:" .. port, "url")
    local sink = assert(sinks.new { access = access, tls = tls, keep = 3600, log = function() end })
    local items, now = {}, os.time()
    for report in client:reports(ids[1], now - 800, now - 1) do items[#items + 1] = { report = report } end
    assert.is_true(#items >= 7990)
    assert.equal(#items, sink:add({ [ids[1]] = items }).added)
    sink:close()
    local from = source { feeds = { ids[1] } }
    for i = 1, #items do assert.is_true(items[i].report.full_report == from:read(10).full_report) end
  end)

  -- Why the source says that it cannot connect.
  local function trouble(url, files)
    local reason
    local from = assert(chainlink.source.redis { url = url, feeds = ids, tls = files, log_level = "none",
      loop = "block", on_status = function(event) reason = reason or event.reason end })
    await("a failure", function()
      from:poll()
      return reason
    end)
    from:close()
    return reason
  end

  it("shows a certificate where the server asks for one", function()
    start "--tls-auth-clients yes"
    assert.matches("ended", trouble("rediss://localhost:" .. port, tls)) -- its reason may be lost with the connection
    local known = source { tls = { ca_file = tls.ca_file, cert_file = folder .. "/ca", key_file = folder .. "/key" } }
    assert.equal(known, (known:connect(10)))
  end)

  it("trusts no certificate of another authority or name", function()
    start "--tls-auth-clients no"
    assert.matches("self%-signed certificate", trouble("rediss://localhost:" .. port, {}))
    assert.matches("IP address mismatch", trouble("rediss://127.0.0.2:" .. port, tls))
    assert.matches("ended", trouble("redis://localhost:" .. port))
  end)

  it("names a file that does not load", function()
    local options = { url = "rediss://h", feeds = ids, tls = { ca_file = folder .. "/none" } }
    failure.says(failure.failure("ConfigError", {}, chainlink.source.redis(options)), "tls.ca_file: cannot read")
    options.tls = { cert_file = tls.ca_file }
    failure.says(failure.failure("ConfigError", {}, chainlink.source.redis(options)), "expected both or neither")
    options.tls = { ca_file = folder .. "/key" }
    failure.says(failure.failure("ConfigError", {}, chainlink.source.redis(options)), "do not load")
    local output, status = project.run(("%s chainlink-streams relay --redis rediss://h --redis-ca %s/none %s"):format(
      sim:exports(), folder, ids[1]))
    assert.is_true(status ~= 0)
    assert.truthy(output:find("tls.ca_file: cannot read", 1, true), output)
  end)
end)
