export function mirrors(): { readonly releases: string; readonly security: string | undefined };
