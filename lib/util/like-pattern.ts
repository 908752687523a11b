/** What a pattern of the server's matches: % and _ stand for any characters, a backslash takes that away. */
export function likeExpression(pattern: string, flags = 'su'): RegExp {
  let expression = '';
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern.charAt(i);
    if (character === '\\' && i + 1 < pattern.length) expression += escape(pattern.charAt(++i));
    else expression += character === '%' ? '.*' : character === '_' ? '.' : escape(character);
  }
  return new RegExp(`^${expression}$`, flags);
}

function escape(character: string): string {
  return character.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
}
