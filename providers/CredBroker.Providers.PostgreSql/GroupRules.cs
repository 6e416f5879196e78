namespace CredBroker.Providers.PostgreSql;

/// <summary>Which groups are too powerful to be given: the statement that issues and the check ask the same question.</summary>
internal static class GroupRules
{
    /// <summary>The roles in <c>reach</c> that make it so. Attributes are not inherited, but SET ROLE reaches them.</summary>
    public const string IsTooPowerful =
        "rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls OR rolname::text LIKE 'pg\\_%' OR rolname::text LIKE 'rds\\_%'";

    /// <summary>A WITH clause that names <c>reach</c>: the groups and whatever they are members of.</summary>
    public static string Reach(string quotedNames) => $"""
        WITH RECURSIVE member_of(oid) AS (
          SELECT g.oid FROM pg_catalog.pg_roles g WHERE g.rolname IN ({quotedNames})
          UNION
          SELECT m.roleid FROM member_of o JOIN pg_catalog.pg_auth_members m ON m.member = o.oid
        ), reach AS (SELECT r.* FROM member_of o JOIN pg_catalog.pg_roles r ON r.oid = o.oid)
        """;
}
