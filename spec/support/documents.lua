-- SPDX-License-Identifier: MIT
-- Reads the documentation as text: its pages, sections, tables and fenced blocks.

local project = require "spec.support.project"

local documents = {}

--- The pages that a reader of the project meets.
function documents.paths()
  local paths = {}
  for path in project.run "ls *.md docs/*.md src/*.md spec/data/*.md":gmatch "[^\n]+" do paths[#paths + 1] = path end
  assert(#paths > 10, "the pages are not where they were")
  return paths
end

--- The text below a heading, up to the next heading of its level or above.
function documents.section(path, heading)
  local level, found, lines = nil, false, {}
  local fenced = false
  for line in (project.read(path) .. "\n"):gmatch "([^\n]*)\n" do
    if line:find "^```" then fenced = not fenced end
    local marks, title = line:match "^(#+) (.*)$"
    if marks and not fenced then
      if found and #marks <= level then break end
      if title == heading then found, level = true, #marks end
    elseif found then lines[#lines + 1] = line end
  end
  assert(found, path .. " has no heading " .. heading)
  return table.concat(lines, "\n")
end

--- The rows of all tables in the text: arrays of cells. The head and the line below it are left out.
function documents.rows(text)
  local rows, before = {}, nil
  for line in (text .. "\n"):gmatch "([^\n]*)\n" do
    if line:find "^|[%s%-|]+$" then rows[#rows] = nil
    elseif line:find "^|" then
      local row = {}
      for cell in line:gsub("\\|", "\1"):sub(2):gmatch "%s*(.-)%s*|" do row[#row + 1] = (cell:gsub("\1", "|")) end
      rows[#rows + 1] = row
    end
    before = line
  end
  assert(before and #rows > 0, "there is no table")
  return rows
end

--- The words in backticks: all of them, or what the pattern captures of each.
function documents.quoted(text, pattern)
  local names = {}
  for quoted in text:gmatch "`([^`\n]+)`" do
    local name = pattern and quoted:match(pattern) or not pattern and quoted
    if name then names[#names + 1] = name end
  end
  return names
end

--- What stands in backticks in the first cells of the tables.
function documents.first_cells(text, pattern)
  local cells = {}
  for _, row in ipairs(documents.rows(text)) do cells[#cells + 1] = row[1] end
  return documents.quoted(table.concat(cells, "\n"), pattern)
end

--- The fenced blocks of a language: {line=, text=}.
function documents.blocks(path, language)
  local blocks, block, number = {}, nil, 0
  for line in (project.read(path) .. "\n"):gmatch "([^\n]*)\n" do
    number = number + 1
    if block and line:find "^```" then
      block.text = table.concat(block, "\n") .. "\n"
      if block.language == language then blocks[#blocks + 1] = block end
      block = nil
    elseif block then block[#block + 1] = line
    elseif line:find "^```" then block = { language = line:sub(4), line = number, path = path } end
  end
  return blocks
end

--- One list of several.
function documents.joined(...)
  local all = {}
  for _, list in ipairs { ... } do
    for _, name in ipairs(list) do all[#all + 1] = name end
  end
  return all
end

--- The keys of a table for which keep(value, key) is true, without it all.
function documents.keys(object, keep)
  local names = {}
  for name, value in pairs(object) do
    if not keep or keep(value, name) then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

--- For documents.keys: is that a method for users?
function documents.is_public(value, name)
  return type(value) == "function" and not name:find "^_"
end

local function missing(from, names)
  local has, list = {}, {}
  for _, name in ipairs(from) do has[name] = true end
  for _, name in ipairs(names) do
    if not has[name] then list[#list + 1] = name end
  end
  table.sort(list)
  return table.concat(list, ", ")
end

--- Raises unless the page names all that the code has, and nothing else.
function documents.same(what, documented, declared)
  assert(#declared > 0, what .. ": none was found in the code")
  local undocumented, unknown = missing(documented, declared), missing(declared, documented)
  if undocumented ~= "" then error(("%s: the documentation lacks %s"):format(what, undocumented), 2) end
  if unknown ~= "" then error(("%s: the code lacks %s"):format(what, unknown), 2) end
end

return documents
