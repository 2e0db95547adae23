-- SPDX-License-Identifier: MIT
local project = require "spec.support.project"

local function load_rockspec(path)
  local env = {}
  local chunk
  if setfenv then -- luacheck: ignore
    chunk = assert(loadfile(path))
    setfenv(chunk, env) -- luacheck: ignore
  else
    chunk = assert(loadfile(path, "t", env)) -- luacheck: ignore
  end
  chunk()
  return env
end

describe("the rockspecs", function()
  it("list what is there", function()
    local output, status = project.run(project.lua .. " scripts/rockspec --check")
    assert.equal(0, status, output)
  end)

  for name in project.run("ls rockspec"):gmatch "%S+" do
    local of_relay = name:find("relay", 1, true) ~= nil
    it(name .. " names files that exist, and every module", function()
      local rock = load_rockspec("rockspec/" .. name)
      assert.equal(of_relay and "chainlink-streams-relay" or "chainlink-streams", rock.package)
      assert.equal(name, rock.package .. "-" .. rock.version .. ".rockspec")
      local count = 0
      for module, value in pairs(rock.build.modules) do
        for _, path in ipairs(type(value) == "table" and value.sources or { value }) do
          project.read(path)
          count = count + 1
        end
        assert.matches("^chainlink", module)
      end
      if of_relay then
        for _, module in ipairs { "redis", "kafka", "source.redis", "source.kafka" } do
          assert.truthy(rock.build.modules["chainlink." .. module], module)
        end
        return
      end
      assert.is_true(count > 40, "only " .. count .. " files")
      assert.is_nil(rock.build.modules["chainlink.redis"] or rock.build.modules["chainlink.source.redis"])
      for _, module in ipairs { "chainlink", "chainlink.core", "chainlink.simulator", "chainlink.cli" } do
        assert.truthy(rock.build.modules[module], module .. " is not listed")
      end
      project.read(rock.build.install.bin["chainlink-streams"])
    end)
  end
end)
