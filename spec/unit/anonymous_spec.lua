-- SPDX-License-Identifier: MIT
-- The client for requests that are not signed: what it is made of, and how it tells what is wrong.

local anonymous = require "chainlink.anonymous"
local chainlink = require "chainlink"
local core = require "chainlink.core"
local errors = require "chainlink.errors"

describe("a client without credentials", function()
  local real_client = core.client
  after_each(function() core.client = real_client end)

  local function refused(...)
    local ok, err = pcall(anonymous.open, ...)
    assert.is_false(ok)
    return err
  end

  it("is an engine's, with what its calls are finished with", function()
    local told, answered = {}, function() end
    local client, state, engine = anonymous.open({ rest_url = "https://127.0.0.1:1", loop = "block",
      logger = function(level, message, fields) told[#told + 1] = { level, message, type(fields) } end,
      on_response = answered, log_level = "info", tls = { insecure_skip_verify = true } }, "node_url")
    assert.are.same({ { "warn", "insecure_skip_verify is on: the service's certificate is not verified", "table" } },
      told)
    assert.is_function(state.wait)
    assert.are.same({ "info", answered }, { state.log_level, state.on_response })
    assert.are.same({ "https://127.0.0.1:1", "none", "none" },
      { engine.rest_url, engine.api_key, engine.api_secret })
    core.client_close(client)
  end)

  it("calls its URL as its caller does", function()
    local err = refused({ rest_url = "https://127.0.0.1:1/?query" }, "node_url")
    assert.is_true(chainlink.is_error(err, "ConfigError"))
    assert.matches("^node_url: the URL has a query", err.message)
    assert.matches("anonymous_spec.lua:%d", err.where)
  end)

  it("raises what the engine refuses, and every other error as it is", function()
    core.client = function() return nil, errors.new("NetworkError", "rest_url and no more") end
    local err = refused({ rest_url = "https://127.0.0.1:1" }, "node_url")
    assert.are.same({ "NetworkError", "node_url and no more" }, { err.kind, err.message })
    core.client = function() error("out of memory", 0) end
    assert.are.equal("out of memory", refused({ rest_url = "https://127.0.0.1:1" }, "node_url"))
  end)
end)
