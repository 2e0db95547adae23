-- SPDX-License-Identifier: MIT
local project = require "spec.support.project"

describe("the version", function()
  local version = project.read "src/base/cds.h":match '#define CDS_VERSION "(%d+%.%d+%.%d+)"'

  it("is one literal", function()
    assert.is_string(version)
    local output = project.run(("grep -rnF '\"%s\"' src lua bin"):format(version))
    assert.matches("^src/base/cds.h:%d+:#define CDS_VERSION [^\n]*\n$", output)
  end)

  it("is the module's", function()
    assert.equal(version, require "chainlink"._VERSION)
  end)

  it("is the newest in the changelog, or what its unreleased part is to be", function()
    local changelog = project.read "CHANGELOG.md"
    local newest = changelog:match "\n## %[(%d+%.%d+%.%d+)%]"
    local coming = changelog:match "\n## %[Unreleased%]\n\nThis is to be (%d+%.%d+%.%d+)[,.]"
    assert.equal(version, coming or newest)
  end)

  it("is released with a date, and there is one unreleased part, above all others", function()
    local parts = {}
    for line in project.read "CHANGELOG.md":gmatch "\n## ([^\n]*)" do parts[#parts + 1] = line end
    assert.equal("[Unreleased]", parts[1])
    for i = 2, #parts do assert.matches("^%[%d+%.%d+%.%d+%] %- %d%d%d%d%-%d%d%-%d%d$", parts[i]) end
  end)

  it("has a rockspec", function()
    assert.truthy(project.read("rockspec/chainlink-streams-" .. version .. "-1.rockspec")
      :find('version = "' .. version .. '-1"', 1, true))
  end)

  it("is in the documentation", function()
    assert.truthy(project.read "docs/api.md":find('`"' .. version .. '"`', 1, true))
  end)
end)
