// libpq, loaded by the first connection: with it come LDAP, Kerberos and GnuTLS, 3 MB of pages of a
// daemon that may have no PostgreSQL to watch.
#pragma once

#include <libpq-fe.h>

#include "mesh/base/result.hpp"

namespace bevmesh::postgres {

/// Its functions under their own names, of the header's own types.
struct library {
    decltype(&::PQbackendPID) PQbackendPID;
    decltype(&::PQclear) PQclear;
    decltype(&::PQconnectPoll) PQconnectPoll;
    decltype(&::PQconnectStartParams) PQconnectStartParams;
    decltype(&::PQconnectionNeedsPassword) PQconnectionNeedsPassword;
    decltype(&::PQconsumeInput) PQconsumeInput;
    decltype(&::PQerrorMessage) PQerrorMessage;
    decltype(&::PQfinish) PQfinish;
    decltype(&::PQflush) PQflush;
    decltype(&::PQgetResult) PQgetResult;
    decltype(&::PQgetisnull) PQgetisnull;
    decltype(&::PQgetlength) PQgetlength;
    decltype(&::PQgetvalue) PQgetvalue;
    decltype(&::PQisBusy) PQisBusy;
    decltype(&::PQnfields) PQnfields;
    decltype(&::PQntuples) PQntuples;
    decltype(&::PQprotocolVersion) PQprotocolVersion;
    decltype(&::PQresultErrorField) PQresultErrorField;
    decltype(&::PQresultErrorMessage) PQresultErrorMessage;
    decltype(&::PQresultStatus) PQresultStatus;
    decltype(&::PQsendQueryParams) PQsendQueryParams;
    decltype(&::PQsetNoticeReceiver) PQsetNoticeReceiver;
    decltype(&::PQsetnonblocking) PQsetnonblocking;
    decltype(&::PQsocket) PQsocket;
    decltype(&::PQstatus) PQstatus;
};

/// Loads it once and never gives it back. errc::local_error: it is not installed, or too old; asked
/// again, it is looked for again. Of one thread.
[[nodiscard]] result<library const*> load_library();

}  // namespace bevmesh::postgres
