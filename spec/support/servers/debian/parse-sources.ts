/** One entry of apt's configuration; see sources.list(5). */
export interface SourceEntry {
  readonly uris: readonly string[];
  readonly suites: readonly string[];
  readonly components: readonly string[];
  /** A path, a fingerprint, a whole key, or nothing. */
  readonly signedBy: string;
}

const words = (text = ''): string[] => text.split(/\s+/).filter((word) => word !== '');

/** `deb [signed-by=…] uri suite component …` */
export function parseOneLine(text: string): SourceEntry[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s*)?([^#]*)/.exec(line);
    const [uri, suite, ...components] = words(match?.[2]);
    if (uri === undefined || suite === undefined) {
      return [];
    }
    const signedBy = /signed-by=(\S+)/i.exec(match?.[1] ?? '')?.[1] ?? '';
    return [{ uris: [uri], suites: [suite], components, signedBy }];
  });
}

/** Paragraphs of `Field: value`, where lines that begin with a blank continue the value. */
export function parseDeb822(text: string): SourceEntry[] {
  const paragraphs = text.replace(/^#.*\n?/gm, '').split(/\n\s*\n/);
  return paragraphs.flatMap((paragraph) => {
    const joined = paragraph.replace(/\n[ \t]+/g, ' ');
    const field = (name: string): string =>
      new RegExp(`^${name}:(.*)$`, 'im').exec(joined)?.[1]?.trim() ?? '';
    if (!words(field('Types')).includes('deb') || /^(no|false|0|off)$/i.test(field('Enabled'))) {
      return [];
    }
    return [
      {
        uris: words(field('URIs')),
        suites: words(field('Suites')),
        components: words(field('Components')),
        signedBy: field('Signed-By'),
      },
    ];
  });
}
