-- SPDX-License-Identifier: MIT
-- Waiting in a real nginx with its Lua module.
local await = require "spec.support.await"
local host = require "spec.support.host"
local nginx = require "spec.support.nginx"
local project = require "spec.support.project"
local simulator = require "spec.support.simulator"
local socket = require "socket"

if not (rawget(_G, "jit") and (nginx.is_there() or host.is_wanted "nginx")) then
  pending("nginx, or its Lua module, which runs LuaJIT, is not there", function() end)
  return
end

describe("in nginx", function()
  local sim, server
  local http = [[
    lua_socket_pool_size 4;
    init_by_lua_block {
      local chainlink = require "chainlink"
      of_master = chainlink.client_from_env()
      function ids(client)
        local list = {}
        for i, feed in ipairs(assert(client:get_feeds())) do list[i] = feed.id end
        return list
      end
    }
    init_worker_by_lua_block {
      client = require "chainlink".client_from_env { loop = "openresty", rate_limit = false }
    }]]
  local paths = [[
    location /ping { return 200 "pong"; }
    location /report { content_by_lua_block {
      local report, err = client:get_latest_report(known)
      ngx.print(report and report.feed_id or tostring(err))
    } }
    location /auto { content_by_lua_block {
      local own = require "chainlink".client_from_env()
      local report, err = own:get_latest_report(known)
      ngx.print(report and report.feed_id or tostring(err))
      own:close()
    } }
    location /ids { content_by_lua_block {
      local list = ids(client)
      known = list[1]
      ngx.print(table.concat(list, " "))
    } }
    location /read { content_by_lua_block {
      local stream = client:stream { known }
      for report in stream do
        ngx.print(report.observations_timestamp, " ")
        if tonumber(ngx.var.arg_count) == (ngx.ctx.count or 0) + 1 then break end
        ngx.ctx.count = (ngx.ctx.count or 0) + 1
      end
      stream:close()
    } }
    location /limit { content_by_lua_block {
      local stream = client:stream { known }
      local _, err = stream:read(0.05)
      ngx.print(tostring(err))
      stream:close()
    } }
    location /shared { content_by_lua_block {
      local stream, seen, threads = client:stream(ids(client)), {}, {}
      for i = 1, 3 do
        threads[i] = ngx.thread.spawn(function()
          for _ = 1, 4 do
            local report = assert(stream:read())
            assert(not seen[report.full_report], "twice")
            seen[report.full_report] = true
          end
          return 4
        end)
      end
      local sum = 0
      for i = 1, 3 do sum = sum + select(2, assert(ngx.thread.wait(threads[i]))) end
      ngx.print(sum)
      stream:close()
    } }
    location /closed { content_by_lua_block {
      local stream = client:stream { known }
      local reader = ngx.thread.spawn(function()
        local err
        repeat err = select(2, stream:read()) until err
        return err.kind
      end)
      assert(stream:connect(60))
      stream:close()
      ngx.print(select(2, ngx.thread.wait(reader)))
    } }
    location /set {
      set_by_lua_block $said { return tostring(select(2, pcall(client.get_feeds, client))) }
      return 200 $said;
    }
    location /set-auto {
      set_by_lua_block $said {
        local own = require "chainlink".client_from_env()
        local report = assert(own:get_latest_report(known))
        own:close()
        return report.feed_id
      }
      return 200 $said;
    }
    location /of-master { content_by_lua_block {
      ngx.print(tostring(select(2, of_master:get_feeds())))
    } }]]
  local ids
  setup(function()
    sim = simulator.start { feeds = 4, rate = 5, rate_limit = 0 }
    server = nginx.start { http = http, server = paths, environment = sim.env }
    ids = server:get "/ids"
  end)
  teardown(function()
    if server then server:stop() end
    sim:stop()
  end)
  after_each(function() sim:clear_faults() end)

  local function first_id() return ids:match "%S+" end

  -- Is there something to read from the socket?
  local function has_answer(client) return socket.select({ client }, nil, 0)[1] ~= nil end

  it("runs the build under test", function()
    local build = os.getenv "NGINX_BUILD" or os.getenv "LUA_CPATH":match "^(.-)/%?%.so;"
    assert.are.equal(build .. "/chainlink/core.so", server:loaded())
  end)

  for _, path in ipairs { "/report", "/auto" } do
    it("a REST call waits and the worker serves others, at " .. path, function()
      sim:fault "on=rest,path=/api/v1/reports/latest,action=delay,ms=300"
      local slow = server:open(path)
      assert.are.equal("pong", (server:get "/ping"))
      assert.is_false(has_answer(slow))
      assert.matches(first_id(), assert(slow:receive "*a"), 1, true)
      slow:close()
    end)
  end

  it("a stream is read in a `for` loop while the worker serves others", function()
    local reading = server:open "/read?count=3"
    assert.are.equal("pong", (server:get "/ping"))
    assert.is_false(has_answer(reading))
    assert.matches("\r\n\r\n%d+ %d+ %d+ $", assert(reading:receive "*a"))
    reading:close()
  end)

  it("a time limit is kept", function()
    sim:fault "on=ws,action=quiet,times=0"
    assert.matches("^TimeoutError", (server:get "/limit"))
  end)

  it("several light threads share a stream", function()
    assert.are.equal("12", (server:get "/shared"))
  end)

  it("closing a stream ends those that wait for it", function()
    sim:fault "on=ws,action=quiet,times=0"
    assert.are.equal("StreamClosedError", (server:get "/closed"))
  end)

  it("a phase that cannot wait says so, or blocks where `loop` is auto", function()
    sim:fault "on=rest,path=/api/v1/feeds,action=delay,ms=300" -- so that there is something to wait for
    assert.matches('ConfigError: in nginx\' phase "set" nothing can wait', (server:get "/set"), 1, true)
    assert.are.equal(first_id(), (server:get "/set-auto"))
  end)

  it("a client of the master is refused in a worker", function()
    assert.matches("init_worker_by_lua", (server:get "/of-master"), 1, true)
  end)

  it("a hundred requests at once leave nothing behind", function()
    local function descriptors()
      return tonumber((project.run("ls /proc/" .. server:workers()[1] .. "/fd | wc -l")))
    end
    local function all_at_once()
      local open = {}
      for i = 1, 100 do open[i] = server:open "/report" end
      for i = 1, 100 do
        assert.matches(first_id(), assert(open[i]:receive "*a"), 1, true)
        open[i]:close()
      end
    end
    local most = descriptors() + 100 + 2 * 4 -- connections to the service, and both ends of what the pool may have
    for _ = 1, 4 do
      all_at_once()
      await("the descriptors to be closed", function() return descriptors() <= most end)
    end
  end)
end)

-- Libraries that come before nginx' own stand for one that it has in itself: to the linker they are the same.
describe("an nginx with an OpenSSL of its own", function()
  local folder, remove
  setup(function() folder, remove = project.folder() end)
  teardown(function() remove() end)

  local cases = {
    { "is refused by the symbols that it exports", [[
      #define _GNU_SOURCE
      #include <dlfcn.h>
      void *SSL_CTX_new(const void *method) {
        return ((void *(*)(const void *))dlsym(RTLD_NEXT, "SSL_CTX_new"))(method);
      }]],
      '/own.so" exports an OpenSSL of its own, which the shared libraries would call by mistake' },
    { "is refused by its version", [[
      unsigned long OpenSSL_version_num(void) { return 0x1010117fUL; }
      const char *OpenSSL_version(int what) { return what == 0 ? "OpenSSL 1.1.1w" : ""; }]],
      "built for OpenSSL 3, but the process has OpenSSL 1.1.1w; rebuild the module or the host" },
  }
  for _, case in ipairs(cases) do
    it(case[1], function()
      project.write(folder .. "/own.c", case[2])
      local output, status = project.run(("cc -shared -fPIC -o %s/own.so %s/own.c"):format(folder, folder))
      assert.are.equal(0, status, output)
      local server = nginx.start { preload = folder .. "/own.so", server = [[
        location / { content_by_lua_block { ngx.print(tostring(select(2, pcall(require, "chainlink")))) } }]] }
      finally(function() server:stop() end)
      assert.matches(case[3], (server:get "/"), 1, true)
    end)
  end
end)
