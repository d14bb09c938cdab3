// SPDX-License-Identifier: Apache-2.0
/**
 * The byte format that journals, snapshots and messages share: big-endian numbers, variable-length
 * counts, length-prefixed strings.
 *
 * <p>Each vocabulary (the messages of one protocol, the commands of one state machine) writes its
 * own codec with these two classes: one byte of kind, then the fields. A reader never allocates
 * more than the bytes in front of it, so a hostile length costs nothing.
 */
@Export
@NullMarked
@Version("1.0.0")
package io.clowder.api.wire;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
