const COMPILER_SUFFIX = /\.(?:isra|constprop|part|cold|llvm|lto_priv)(?:\.\d+)*/g;
const SYSTEM_CALL =
  /^(?:__(?:x64|arm64|ia32|x32|riscv|s390x?|powerpc|se|do)_(?:compat_)?sys_|__se_compat_sys_|compat_sys_|(?:C_)?SYSC_|[Ss]y[Ss]_)/;

/**
 * The name of a symbol's function in the kernel's sources: without compiler suffixes (`.isra.0`, `.cold`) and the
 * padding prefix (`__pfx_`), and without the dot that PowerPC puts before. System call wrappers become `sys_NAME` on
 * every architecture.
 */
export function functionName(symbol: string): string {
  const name = symbol.includes('.') ? symbol.replace(COMPILER_SUFFIX, '') : symbol;
  return name.replace(/^(?:\.|__pfx_)/, '').replace(SYSTEM_CALL, 'sys_');
}
