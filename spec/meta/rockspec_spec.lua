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
    it(name .. " names files that exist, and every module", function()
      local rock = load_rockspec("rockspec/" .. name)
      assert.equal("chainlink-streams", rock.package)
      assert.equal(name, rock.package .. "-" .. rock.version .. ".rockspec")
      local count = 0
      for module, value in pairs(rock.build.modules) do
        for _, path in ipairs(type(value) == "table" and value.sources or { value }) do
          project.read(path)
          count = count + 1
        end
        assert.matches("^chainlink", module)
      end
      assert.is_true(count > 40, "only " .. count .. " files")
      for _, module in ipairs { "chainlink", "chainlink.core", "chainlink.simulator", "chainlink.cli" } do
        assert.truthy(rock.build.modules[module], module .. " is not listed")
      end
      project.read(rock.build.install.bin["chainlink-streams"])
    end)
  end
end)
