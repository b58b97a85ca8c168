/** Where the data of a report goes. */
export const DATA_MARK = '<!--data-->';

/**
 * The page of a report without its data: src/web in one HTML document. The build puts it here. Without a build it is a
 * page that shows nothing.
 */
export const PAGE = `<!doctype html>\n${DATA_MARK}\n`;
