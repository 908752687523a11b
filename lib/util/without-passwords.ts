/** The text without the passwords of URLs in it. */
export function withoutPasswords(text: string): string {
  return text.replace(/(\w+:\/\/[^\s:@/]*):[^\s@]*@(?:[^\s@/?#,]*@)*/g, '$1:***@');
}
