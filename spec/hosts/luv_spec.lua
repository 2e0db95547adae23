-- SPDX-License-Identifier: MIT
local expect = require "spec.support.failure"
local host = require "spec.support.host"
local scenes = require "spec.hosts.scenes"
local simulator = require "spec.support.simulator"

if not host.has "luv" then
  pending("luv is not there for this Lua", function() end)
  return
end

scenes("luv", host.luv)

describe("luv", function()
  local sim
  setup(function() sim = simulator.start { feeds = 2, rate = 5 } end)
  teardown(function() sim:stop() end)

  it("waits in coroutines only", function()
    local client = sim:client { loop = "luv" }
    local co = coroutine.running()
    if co and not select(2, coroutine.running()) then return pending "the specs run in a coroutine here" end
    expect.says(expect.raised("ConfigError", {}, client.get_feeds, client), "only a coroutine can wait")
    client:close()
  end)
end)
