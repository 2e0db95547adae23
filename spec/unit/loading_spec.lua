-- SPDX-License-Identifier: MIT
-- What a program does not use is not loaded, and is there as soon as it is used.

local process = require "spec.support.process"
local project = require "spec.support.project"

-- What is loaded of the libraries that take their time; and of the module's own files.
local LISTING = [[
local function loaded()
  local found, maps = {}, io.open("/proc/self/maps"):read "*a"
  for _, name in ipairs { "libcurl", "libsnappy", "cjson" } do
    if maps:find(name, 1, true) then found[#found + 1] = name end
  end
  for _, name in ipairs { "client", "config", "onchain", "schemas", "signers" } do
    if package.loaded["chainlink." .. name] then found[#found + 1] = name end
  end
  return table.concat(found, " ")
end
local chainlink = require "chainlink"
]]

local function output_of(script)
  local output, code = process.lua(LISTING .. script)
  assert.are.equal(0, code, output)
  return output
end

describe("loading", function()
  if not process.is_known() then return pending "needs /proc" end

  it("brings nothing that is not used", function()
    assert.are.equal("\n", output_of "print(loaded())")
  end)

  it("brings the parts of the module one by one", function()
    assert.are.equal("schemas\nschemas signers\nonchain schemas signers\ntrue\n", (output_of [[
      local function names() return (loaded():gsub("^cjson ", ""):gsub("client ", ""):gsub("config ", "")) end
      assert(chainlink.schemas[3]); print(names())
      assert(chainlink.signers {}); print(names())
      assert(chainlink.onchain.networks); print(names())
      print(chainlink.nothing == nil and rawget(chainlink, "schemas") == require "chainlink.schemas")
    ]]))
  end)

  it("brings libcurl with the first request, not with a client or stream", function()
    assert.are.equal("client config\nlibcurl client config\n", (output_of [[
      local client = assert(chainlink.client { api_key = "k", api_secret = "s", max_retries = 0, proxy = false,
        rest_url = "http://127.0.0.1:1", ws_url = "ws://127.0.0.1:1" })
      local stream = assert(client:stream { "0x0003" .. ("0"):rep(60) })
      print(loaded())
      stream:close()
      client:get_feeds()
      print((loaded():gsub(" cjson", "")))
    ]]))
  end)

  it("answers an error where libcurl cannot be loaded", function()
    local folder, remove = project.folder()
    project.write(folder .. "/libcurl.so.4", "this is no library")
    local output, code = process.lua([[
      local client = assert(require "chainlink".client { api_key = "k", api_secret = "s" })
      for _ = 1, 2 do
        local feeds, err = client:get_feeds()
        print(feeds, err.kind, err.message)
      end
    ]], ("export LD_LIBRARY_PATH='%s';"):format(folder))
    remove()
    assert.are.equal(0, code, output)
    local line = output:match "^(nil%s+ConfigError%s+libcurl%.so%.4 cannot be loaded: [^\n]+\n)"
    assert.are.equal((line or "no such error"):rep(2), output)
  end)
end)
