// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import io.clowder.api.shell.Table;

/** What a result looks like. */
enum Format {
  /** For people. */
  table,
  /** For scripts. */
  json;

  String render(Table result) {
    return this == json ? result.toJson() : result.toText();
  }
}
