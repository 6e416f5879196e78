using System.Text.Json;

namespace CredBroker.Providers.PostgreSql.Tests;

internal static class BadDocuments
{
    private const string Rest = "\"database\":\"app\",\"username\":\"broker\",\"groups\":[\"app_ro\"]";

    public static IReadOnlyList<JsonElement> Configurations { get; } =
    [
        .. new[]
        {
            "{}",
            $$"""{"host":"db.example",{{Rest}}}""",
            $$"""{"host":"db.example","sslMode":"disable","password":{"source":"s"},{{Rest}}}""",
            $$"""{"host":"db.example","sslMode":"prefer","password":{"source":"s"},{{Rest}}}""",
            $$"""{"host":"db.example","password":"plain text",{{Rest}}}""",
            $$"""{"host":"db.example","password":{"source":""},{{Rest}}}""",
            $$"""{"host":"db1.example,db2.example","password":{"source":"s"},{{Rest}}}""",
            $$"""{"host":"/var/run/postgresql","password":{"source":"s"},{{Rest}}}""",
            $$"""{"host":"db.example:5432","password":{"source":"s"},{{Rest}}}""",
            $$"""{"host":"db.example;Ssl Mode=Disable","password":{"source":"s"},{{Rest}}}""",
            $$"""{"host":"localhost","port":0,{{Rest}}}""",
            $$"""{"host":"localhost","port":65536,{{Rest}}}""",
            $$"""{"host":"localhost","hots":"x",{{Rest}}}""",
            $$"""{"host":"localhost","connectTimeout":"0s",{{Rest}}}""",
            $$"""{"host":"localhost","commandTimeout":"2m",{{Rest}}}""",
            $$"""{"host":"localhost","commandTimeout":10,{{Rest}}}""",
            $$"""{"host":"localhost","maxConnections":0,{{Rest}}}""",
            $$"""{"host":"localhost","rootCertificate":"/etc/ssl/root.pem",{{Rest}}}""",
            """{"host":"localhost","database":"app","username":"broker","groups":[]}""",
            """{"host":"localhost","database":"app","username":"broker","groups":["pg_read_server_files"]}""",
            """{"host":"localhost","database":"app","username":"broker","groups":["rds_superuser"]}""",
            """{"host":"localhost","database":"app","username":"broker","groups":["broker"]}""",
            """{"host":"localhost","database":"app; Ssl Mode=Disable","username":"broker","groups":["app_ro"]}""",
            """{"host":"localhost","database":"app","username":"bro\"ker","groups":["app_ro"]}""",
        }.Select(json => JsonElement.Parse(json)),
    ];

    public static IReadOnlyList<JsonElement> Templates { get; } =
    [
        .. new[]
        {
            "{}",
            """{"groups":[]}""",
            """{"groups":[""]}""",
            """{"groups":["app_ro","app_ro"]}""",
            """{"groups":["pg_read_all_data"]}""",
            """{"groups":["PG_read_all_data"]}""",
            """{"groups":["pg_{{which}}"]}""",
            """{"groups":["rds_superuser"]}""",
            """{"groups":["public"]}""",
            """{"groups":["cb_abc123_0123456789abcdefghjkmnpqrs"]}""",
            """{"groups":["app_ro\"; DROP ROLE postgres; --"]}""",
            """{"groups":["app_ro, postgres"]}""",
            """{"groups":["app_ro $cb$"]}""",
            """{"groups":["app_ro"],"connectionLimit":-1}""",
            """{"groups":["app_ro"],"connectionLimit":0}""",
            """{"groups":["app_ro"],"connectionLimit":"10"}""",
            """{"groups":["app_ro"],"scramIterations":0}""",
            """{"groups":["app_ro"],"scramIterations":1000000000}""",
            """{"groups":["app_ro"],"database":"app' OR true"}""",
            """{"groups":["app_ro"],"superuser":true}""",
        }.Select(json => JsonElement.Parse(json)),
    ];
}
