-- SPDX-License-Identifier: MIT
-- Cuts C and Lua into tokens, so that nothing is ever changed inside a comment or a text. A token is
-- { kind, text, start, stop, line, directive }: kind is name, number, string or op; directive is the name of the
-- preprocessor line that it stands in.

local tokens = {}

local C_OPS = { "<<=", ">>=", "...", "->", "++", "--", "<<", ">>", "<=", ">=", "==", "!=", "&&", "||", "+=", "-=", "*=",
  "/=", "%=", "&=", "|=", "^=", "##" }
local LUA_OPS = { "...", "..", "==", "~=", "<=", ">=", "//", "::" }

-- The place behind a quoted text that starts at `at`.
local function after_quoted(text, at)
  local quote = text:sub(at, at)
  at = at + 1
  while at <= #text and text:sub(at, at) ~= quote do
    at = at + (text:sub(at, at) == "\\" and 2 or 1)
  end
  return at + 1
end

-- The place behind Lua's long bracket at `at`, nil when there is none.
local function after_long(text, at)
  local level = text:match("^%[(=*)%[", at)
  if not level then return nil end
  local _, stop = text:find("]" .. level .. "]", at, true)
  return (stop or #text) + 1
end

local function after_c_comment(text, at)
  if text:sub(at, at + 1) == "//" then return text:find("\n", at, true) or #text + 1 end
  if text:sub(at, at + 1) ~= "/*" then return nil end
  local _, stop = text:find("*/", at + 2, true)
  return (stop or #text) + 1
end

local function after_lua_comment(text, at)
  if text:sub(at, at + 1) ~= "--" then return nil end
  return after_long(text, at + 2) or text:find("\n", at, true) or #text + 1
end

local function operator(text, at, operators)
  for _, op in ipairs(operators) do
    if text:sub(at, at + #op - 1) == op then return op end
  end
  return text:sub(at, at)
end

-- The kind of the token at `at` and the place behind it.
local function read(text, at, language)
  local _, stop = text:find("^[%a_][%w_]*", at)
  if stop then return "name", stop + 1 end
  _, stop = text:find("^%.?%d[%w_.]*", at)
  if stop then
    local _, exponent = text:find("^[%w_.]*[eEpP][+-]%d+%w*", at)
    return "number", math.max(stop, exponent or 0) + 1
  end
  if text:find("^[\"']", at) then return "string", after_quoted(text, at) end
  local long = language == "lua" and after_long(text, at)
  if long then return "string", long end
  return "op", at + #operator(text, at, language == "lua" and LUA_OPS or C_OPS)
end

local function count_lines(text, from, to)
  local _, count = text:sub(from, to):gsub("\n", "")
  return count
end

-- The name of the directive when a preprocessor line begins at `at`, and whether the line goes on.
local function directive_at(text, at)
  local name = text:match("^#%s*(%a+)", at)
  return name and text:sub(1, at - 1):match "[^\n]*$":find "^%s*$" and name
end

--- The tokens of a text; language is "c" or "lua".
function tokens.read(text, language)
  local list, at, line, directive = {}, 1, 1, nil
  local after_comment = language == "lua" and after_lua_comment or after_c_comment
  while at <= #text do
    local behind = after_comment(text, at)
    if not behind and text:find("^%s", at) then
      behind = at + 1
      if text:sub(at, at) == "\n" and text:sub(at - 1, at - 1) ~= "\\" then directive = nil end
    end
    if not behind then
      local kind
      if language == "c" then directive = directive or directive_at(text, at) or nil end
      kind, behind = read(text, at, language)
      if text:sub(at, at) ~= "\\" then
        list[#list + 1] = { kind = kind, text = text:sub(at, behind - 1), start = at, stop = behind - 1, line = line,
          directive = directive }
      end
    end
    line = line + count_lines(text, at, behind - 1)
    at = behind
  end
  return list
end

local CLOSES = { ["("] = ")", ["["] = "]", ["{"] = "}" }

--- The index of the bracket that closes the one at index `at`, nil when there is none.
function tokens.closing(list, at)
  local open, close, depth = list[at].text, CLOSES[list[at].text], 0
  for i = at, #list do
    if list[i].kind == "op" then
      if list[i].text == open then depth = depth + 1 end
      if list[i].text == close then depth = depth - 1 end
      if depth == 0 then return i end
    end
  end
  return nil
end

return tokens
