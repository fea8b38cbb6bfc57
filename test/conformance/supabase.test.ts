import { supabaseBackend } from '../support/backends/supabase.ts'
import { runConformance } from '../support/run-conformance.ts'

runConformance(supabaseBackend())
