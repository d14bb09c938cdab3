// SPDX-License-Identifier: Apache-2.0
/**
 * How a bundle offers commands in the Gogo shell: options and help by picocli, results as a table
 * for people or as JSON for scripts.
 */
@Export
@NullMarked
@Version("1.0.0")
package io.clowder.api.shell;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
